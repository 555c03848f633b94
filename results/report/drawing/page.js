"use strict";
(async () => {
  const page = JSON.parse(document.getElementById("page-data").textContent);
  const rowsOf = (table) => {
    const names = Object.keys(table);
    return names.length ? table[names[0]].map((_, row) => Object.fromEntries(names.map((name) => [name, table[name][row]]))) : [];
  };
  const namesIn = (part) => {
    if (part === null || typeof part !== "object") return [];
    const own = part.data && part.data.name ? [part.data.name] : [];
    return own.concat(...Object.values(part).map(namesIn));
  };
  const rows = {};
  for (const place of document.querySelectorAll("[data-chart]")) {
    const spec = page.charts[place.dataset.chart];
    spec.datasets = {};
    for (const name of namesIn(spec)) spec.datasets[name] = rows[name] ??= rowsOf(page.tables[name]);
    const options = { actions: false, renderer: "svg", ast: true, config: page.config, defaultStyle: false, tooltip: { disableDefaultStyle: true } };
    await vegaEmbed(place, spec, options);
  }
  document.documentElement.dataset.drawn = "all";
})();

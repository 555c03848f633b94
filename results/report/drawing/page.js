"use strict";
const PAGE = 660, HALF_PAGE = 310; // pixels between the margins of a printed page
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
  const views = [];
  for (const place of document.querySelectorAll("[data-chart]")) {
    const spec = page.charts[place.dataset.chart];
    spec.datasets = {};
    for (const name of namesIn(spec)) spec.datasets[name] = rows[name] ??= rowsOf(page.tables[name]);
    const options = { actions: false, renderer: "svg", ast: true, config: page.config, defaultStyle: false, tooltip: { disableDefaultStyle: true } };
    views.push([place, (await vegaEmbed(place, spec, options)).view]);
  }
  // Charts keep the width of the screen when they are printed: shrunk, their texts would be tiny.
  addEventListener("beforeprint", () => {
    for (const [place, view] of views) view.signal("width", place.closest(".slices, .pair") ? HALF_PAGE : PAGE).run();
  });
  addEventListener("afterprint", () => dispatchEvent(new Event("resize")));
  document.documentElement.dataset.drawn = "all";
})();

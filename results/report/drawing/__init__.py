"""Draws a report: charts in the grammar of Vega-Lite, and the page around them."""

"""The web shell: what every page of every room shares — layout, menu, forms, lists, charts, languages."""

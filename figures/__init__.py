"""The pictures: one script a statement, each with `draw(data) -> Figure`, drawn from figures/data by `style.save`."""

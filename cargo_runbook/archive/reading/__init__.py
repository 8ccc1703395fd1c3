"""Reading records back: one, two side by side, and one judged again."""

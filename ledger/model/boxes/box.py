"""The base of the ten boxes of a run record."""

from ledger.model.values import Document


class Box(Document, frozen=True, kw_only=True):
    """The base of every box."""

    unknown: dict[str, str] = {}
    """What could not be captured, and why: field name (`all` for the whole box) to reason."""
    found: dict[str, str] = {}
    """Values that nobody stated: field name (`all` for the whole box) to the place where they were found."""

    @property
    def known(self) -> bool:
        """Whether anything in the box was captured."""
        return "all" not in self.unknown

    @property
    def found_in(self) -> dict[str, list[str]]:
        """Values that nobody stated, by the place where they were found."""
        places: dict[str, list[str]] = {}
        for name, place in self.found.items():
            places.setdefault(place, []).append("everything" if name == "all" else name)
        return places

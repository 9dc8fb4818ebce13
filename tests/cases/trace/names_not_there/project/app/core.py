from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.elsewhere import typing_only

there = 1


class Thing:
    local = 2

    def method(self):
        local = 3
        self.gone = 4
        return local

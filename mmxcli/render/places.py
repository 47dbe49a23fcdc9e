"""Where the quotes of answers stand, for an editor."""

from mmxcli.render.terminal import TextView
from mmxcli.tasks.events import Answer


class PlacesView(TextView):
    """`path:line` for each quote on standard output, `path#page=N` where there are pages; the answer goes to standard
    error."""

    def show_text(self, piece: str) -> None:
        pass

    def show_answer(self, event: Answer) -> None:
        self.output.note(event.text)
        for citation in event.citations if event.found else event.nearest:
            place = f"#page={citation.page}" if citation.page else f":{citation.line}"
            self.output.whole(f"{citation.source}{place}")

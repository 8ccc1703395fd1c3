"""Stand-in for harbor-jobservice: it is there and answers, and replicates nothing."""

from __future__ import annotations

from cargo_sandbox.services.web import Request, Response, serve


def answer(request: Request) -> Response:
    if request.path == "/api/jobs/replication" and request.method == "GET":
        return Response.json(200, [])
    return Response.text(404, "404 page not found\n")


if __name__ == "__main__":
    serve(8080, answer)

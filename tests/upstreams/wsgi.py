"""The routes of policy.yaml behind wsgiref, Python's reference server for WSGI.

Called as `python3 wsgi.py plain|fitted`; prints its port. PATH_INFO is what WSGI gives an application to route by:
the path, decoded. `fitted` is what docs/upstreams.md advises.
"""

import re
import socketserver
import sys
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

# In the order of precedence.
ROUTES = [
    (r"/", "/"),
    (r"/healthz", "/healthz"),
    (r"/timesheets", "/timesheets"),
    (r"/timesheets/export", "/timesheets/export"),
    (r"/timesheets/([^/]+)", "/timesheets/{id}"),
    (r"/timesheets/([^/]+)/lines/([^/]+)", "/timesheets/{id}/lines/{line}"),
    (r"/files/new/draft", "/files/new/draft"),
    (r"/files/([^/]+)/info", "/files/{id}/info"),
    (r"/files(?:/(.*))?", "/files/{*rest}"),
    (r"/assets/private(?:/(.*))?", "/assets/private/{*rest}"),
    (r"/assets(?:/(.*))?", "/assets/{*rest}"),
    (r"/users/@me", "/users/@me"),
    (r"/users/([^/]+)", "/users/{id}"),
    (r"/reports/übersicht", "/reports/übersicht"),
    (r"/reports/([^/]+)", "/reports/{name}"),
    (r"/slash/([^/]+)", "/slash/{name}"),
    (r"/slash/([^/]+)/literal", "/slash/{name}/literal"),
    (r"/semicolon/new", "/semicolon/new"),
    (r"/semicolon/([^/]+)", "/semicolon/{name}"),
    (r"/percent/new", "/percent/new"),
    (r"/percent/([^/]+)", "/percent/{name}"),
    (r"/rest/new", "/rest/new"),
    (r"/rest(?:/(.*))?", "/rest/{*rest}"),
    (r"/([^/]+)/settings", "/{tenant}/settings"),
]

IS_FITTED = sys.argv[1] == "fitted"


def application(environ, start_response):
    # PEP 3333: the octets of the path, each as one Latin-1 character.
    path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
    if IS_FITTED and path != "/":
        path = path.removesuffix("/")
    for pattern, name in ROUTES:
        if re.fullmatch(pattern, path):
            start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
            return [f"{name}\n{path}".encode()]
    start_response("404 Not Found", [("Content-Type", "text/plain")])
    return [b"not found"]


class Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128


class Handler(WSGIRequestHandler):
    def log_message(self, *_):
        pass


with make_server("127.0.0.1", 0, application, Server, Handler) as server:
    print(server.server_port, flush=True)
    server.serve_forever()

"""The password of a PostgreSQL role, from a file that may change while the service runs.

Input: a DATABASE_URL that ends with ?password_file=PATH, a mounted Secret. Output: connections, each with what the file
says when it is made. A password is changed in the file, and then at the server: until that, a connection that the new
one is refused for is made with the last that worked.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, make_url

NAME = "password_file"
_AUTHORIZATION = "28"  # https://www.postgresql.org/docs/current/errcodes-appendix.html


def split(url: str) -> tuple[URL, Path | None]:
    """The URL without the file, and the file."""
    parsed = make_url(url)
    path = parsed.query.get(NAME)
    return parsed.difference_update_query([NAME]), Path(str(path)) if path else None


@dataclass(eq=False)
class Connecting:
    """SQLAlchemy's event do_connect, for one engine; `worked` is the password of its last connection."""

    file: Path | None
    worked: str | None = None

    def __call__(self, dialect: Any, record: object, arguments: Any, options: dict[str, Any]) -> Any:
        """A connection. Raises OSError also for what the driver raises: a server that starts or a wrong password."""
        if self.file is None:
            return _connected(dialect, arguments, options)
        now = self.file.read_text().strip()
        for password in dict.fromkeys((now, self.worked or now)):
            try:
                connection = _connected(dialect, arguments, options | {"password": password})
            except WrongPassword as error:
                refused = error
            else:
                self.worked = password
                return connection
        raise refused


class WrongPassword(ConnectionError):
    """The server does not take it."""


def _connected(dialect: Any, arguments: Any, options: dict[str, Any]) -> Any:
    try:
        return dialect.connect(*arguments, **options)
    except OSError:
        raise
    except Exception as error:  # the driver's, or SQLAlchemy's around it; both have PostgreSQL's code
        refused = str(getattr(error, "sqlstate", "")).startswith(_AUTHORIZATION)
        raise (WrongPassword if refused else ConnectionError)(str(error)) from error

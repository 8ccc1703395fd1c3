"""Program code: what it says in its texts is looked through, what it does stays readable."""

from __future__ import annotations

import pytest

from cargo_runbook.redaction.code import redact_code
from cargo_runbook.secret import Redactor, Secret

MASK = "‹secret 1 password›"
HIDDEN = {
    'password = "c4nary-77"': f'password = "{MASK}"',
    "harbor_admin_password: str = 'c4nary-77'": f'harbor_admin_password: str = "{MASK}"',
    'login(user="admin", password="c4nary-77")': f'login(user="admin", password="{MASK}")',
    'body = {"username": "admin", "password": "c4nary-77"}': f'body = {{"username": "admin", "password": "{MASK}"}}',
    'os.environ["CORE_SECRET"] = "c4nary-77"': f'os.environ["CORE_SECRET"] = "{MASK}"',
    'os.environ.setdefault("CORE_SECRET", "c4nary-77")': f'os.environ.setdefault("CORE_SECRET", "{MASK}")',
    'if password == "c4nary-77":\n    pass': f'if password == "{MASK}":\n    pass',
    'token = b"c4nary-77"': f'token = "{MASK}"',
    'look("docker login -p c4nary-77 cargo.test")': f'look("docker login -p {MASK} cargo.test")',
    'a = 1  # password: c4nary-77': f"a = 1  # password: {MASK}",
    'url = "https://admin:c4nary-77@cargo.test/v2/"': f'url = "https://admin:{MASK}@cargo.test/v2/"',
    "!docker login -u admin -p c4nary-77 cargo.test": f"!docker login -u admin -p {MASK} cargo.test",
    "out = !docker login -u admin -p c4nary-77 x": f"out = !docker login -u admin -p {MASK} x",
    "%env HARBOR_ADMIN_PASSWORD=c4nary-77": f"%env HARBOR_ADMIN_PASSWORD={MASK}",
    "%%bash\nexport DB_PASSWORD=c4nary-77": f"%%bash\nexport DB_PASSWORD={MASK}",
    'x = """\npassword: c4nary-77\n"""\ny = 2\n!ls': f'x = """\npassword: {MASK}\n"""\ny = 2\n!ls',
    'known = Secret("c4nary-77")': f'known = Secret("{MASK}")',
    "if x:\n    !docker login -p c4nary-77 a": f"if x:\n    !docker login -p {MASK} a",
    'password = f"c4nary-77"': f'password = "{MASK}"',
}  # fmt: skip

KEPT = [
    "token = login(alice)",
    "password = os.environ['HARBOR_PASSWORD']",
    'section = open_environment(chosen.value, runbook="60_permission", account=account)',
    'triage.look("token")',
    'password = ""',
    'wanted = {"token": vault.get(reference)}',
    "for token in tokens:\n    secret = token[1:]",
    'realm = "https://cargo.test/service/token"',
]


@pytest.mark.parametrize("source", HIDDEN)
def test_a_secret_in_code_is_masked_where_it_stands(source: str) -> None:
    assert redact_code(source, Redactor()) == HIDDEN[source]


@pytest.mark.parametrize("source", [*KEPT, *HIDDEN.values()])
def test_code_that_holds_no_secret_stays_as_it_is(source: str) -> None:
    assert redact_code(source, Redactor()) == source


def test_a_value_that_is_known_is_masked_in_any_code() -> None:
    redactor = Redactor()
    redactor.register(Secret("c4nary-77"))
    assert redact_code('x = ["c4nary-77", c4nary-77]', redactor) == f'x = ["{MASK}", {MASK}]'


def test_code_that_was_clean_before_is_masked_once_its_value_is_known() -> None:
    code = "print('Tr0ub4dor-later-known')"
    assert redact_code(code, Redactor()) == code
    redactor = Redactor()
    redactor.register(Secret("Tr0ub4dor-later-known"))
    assert "Tr0ub4dor" not in redact_code(code, redactor)

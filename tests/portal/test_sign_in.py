"""Entering: by invitation, by password and code, by link; and everything that does not let in."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pyotp
import pytest
import pytest_asyncio

from infra import clock
from infra.database.pool import Database
from infra.database.scope import GateScope, OperatorScope
from infra.database.unit import begin
from infra.ids import new_id
from tenants.audit import platform, verify_chain
from tenants.people import Place, ensure_person, give_role
from tenants.sign_in.guessing import MOST_OF_ADDRESS
from tenants.sign_in.hosts import add_host
from tenants.sign_in.links import make_link
from tests.portal.served import Browser, Portal, serve_portal, words_of
from tests.stage import open_stage

PASSWORD = "four green apples in a row"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def portal(database: Database) -> AsyncIterator[Portal]:
    async with open_stage(database) as stage, serve_portal(stage) as served:
        yield served


async def invited(portal: Portal) -> tuple[str, str]:
    """Invite somebody as an operator; gives the address and the path of the link."""
    email = f"i-{new_id().hex}@harborline.example"
    async with begin(OperatorScope("test"), portal.stage.database) as session:
        person = await ensure_person(session, email, "Ivy Doe")
        await give_role(session, person.id, "operator", Place(), given_by="operator")
        link = await make_link(session, person.id, "invitation", timedelta(days=7))
    return email, link.path


async def accepted(portal: Portal) -> tuple[str, str, Browser]:
    """Invite somebody who accepts; gives address, secret of the factor and the browser."""
    email, path = await invited(portal)
    browser = portal.stranger()
    page = await browser.get(path)
    secret = re.search(r'name="secret" value="([A-Z2-7]{32})"', page.text)[1]  # type: ignore[index]
    form = {"password": PASSWORD, "secret": secret, "code": pyotp.TOTP(secret).now()}
    answer = await browser.post(path, form)
    assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/")
    return email, secret, browser


def next_code(secret: str, steps: int) -> str:
    """Give the code of a later step: no code is good twice."""
    return pyotp.TOTP(secret).at(clock.unix_s() + 30 * steps)


async def test_an_invited_person_chooses_a_password_and_comes_back_with_it(portal: Portal) -> None:
    email, secret, _ = await accepted(portal)
    browser = portal.stranger()

    knock = {"email": email.upper(), "password": PASSWORD, "code": next_code(secret, 1)}
    answer = await browser.post("/sign-in?next=/retailers", knock)

    assert (answer.status_code, answer.headers["location"]) == (303, "/retailers")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "Ivy Doe" in words_of(await browser.get("/account"))


async def test_a_code_is_good_once_and_an_invitation_too(portal: Portal) -> None:
    email, path = await invited(portal)
    browser = portal.stranger()
    page = await browser.get(path)
    secret = re.search(r'name="secret" value="([A-Z2-7]{32})"', page.text)[1]  # type: ignore[index]
    code = pyotp.TOTP(secret).now()
    form = {"password": PASSWORD, "secret": secret, "code": code}
    await browser.post(path, form)

    again = await portal.stranger().post("/sign-in", {"email": email, **form})
    link = await portal.stranger().get(path)

    assert again.status_code == 401
    assert link.status_code == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [("password", "four green apples in a ro"), ("code", "000000"), ("email", "x@nobody.example")],
)
async def test_what_is_wrong_is_not_told_apart(portal: Portal, field: str, value: str) -> None:
    email, secret, _ = await accepted(portal)
    knock = {"email": email, "password": PASSWORD, "code": next_code(secret, 1), field: value}
    browser = portal.stranger()

    answer = await browser.post("/sign-in", knock)

    assert answer.status_code == 401
    assert "Address, password or code is not right." in words_of(answer)
    assert "set-cookie" not in answer.headers


async def test_guessing_ends_after_five_failures_even_with_the_right_password(
    portal: Portal,
) -> None:
    email, secret, _ = await accepted(portal)
    for _ in range(MOST_OF_ADDRESS):
        await portal.stranger().post(
            "/sign-in", {"email": email, "password": "wrong", "code": "123456"}
        )

    knock = {"email": email, "password": PASSWORD, "code": next_code(secret, 1)}
    answer = await portal.stranger().post("/sign-in", knock)

    assert answer.status_code == 429
    async with begin(GateScope(), portal.stage.database) as session:
        await session.execute("delete from sign_in_failure")


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaaa", "i-"])
async def test_a_weak_password_is_refused_and_the_invitation_stays_good(
    portal: Portal, password: str
) -> None:
    email, path = await invited(portal)
    secret = pyotp.random_base32()
    chosen = email.split("@")[0] if password == "i-" else password
    form = {"password": chosen, "secret": secret, "code": pyotp.TOTP(secret).now()}

    answer = await portal.stranger().post(path, form)

    assert answer.status_code == 422
    assert (await portal.stranger().get(path)).status_code == 200


async def test_opening_a_link_changes_nothing_and_using_it_ends_it(portal: Portal) -> None:
    path = await portal.link_for("operator", Place(), name="Ann Doe")
    browser = portal.stranger()

    looked = [await browser.get(path) for _ in range(2)]
    entered = await browser.post(path)
    again = await portal.stranger().post(path)

    assert [each.status_code for each in looked] == [200, 200]
    assert "Enter as Ann Doe" in words_of(looked[0])
    assert entered.status_code == 303
    assert again.status_code == 404


async def test_who_signs_out_or_is_ended_elsewhere_is_out_at_once(portal: Portal) -> None:
    email, secret, first = await accepted(portal)
    second = portal.stranger()
    await second.post(
        "/sign-in", {"email": email, "password": PASSWORD, "code": next_code(secret, 1)}
    )
    page = await first.get("/account")
    (other,) = re.findall(r"/account/sessions/([0-9a-f-]{36})/end", page.text)

    await first.post(f"/account/sessions/{other}/end")
    ended = await second.get("/account")
    await first.post("/sign-out")
    out = await first.get("/account")

    assert (ended.status_code, ended.headers["location"]) == (303, "/sign-in?next=/account")
    assert out.status_code == 303


async def test_nobody_ends_anothers_session(portal: Portal) -> None:
    one, two = await portal.person("operator"), await portal.person("operator")
    async with begin(GateScope(), portal.stage.database) as session:
        ids = await session.fetch("select id from portal_session order by created_at desc limit 2")

    answers = [await one.post(f"/account/sessions/{row['id']}/end") for row in ids]

    assert sorted(each.status_code for each in answers) == [303, 404]
    assert (await two.get("/account")).status_code == 200


@pytest.mark.parametrize(
    ("headers", "form"),
    [
        ({"sec_fetch_site": "cross-site"}, None),
        ({"sec_fetch_site": "same-site"}, None),
        ({"origin": "https://evil.example"}, None),
        ({"origin": "null"}, None),
        ({}, ""),
        ({}, "0" * 64),
    ],
)
async def test_a_form_from_elsewhere_is_refused(
    portal: Portal, headers: dict[str, str], form: str | None
) -> None:
    browser = await portal.person("operator")

    answer = await browser.post("/sign-out", {} if form is None else {"_form": form}, **headers)

    assert answer.status_code == 403
    assert (await browser.get("/account")).status_code == 200


@pytest.mark.parametrize("then", ["//evil.example", "https://evil.example", "/\\evil.example"])
async def test_after_signing_in_nobody_is_sent_to_another_host(portal: Portal, then: str) -> None:
    email, secret, _ = await accepted(portal)
    knock = {"email": email, "password": PASSWORD, "code": next_code(secret, 1)}

    answer = await portal.stranger().post(f"/sign-in?next={then}", knock)

    assert answer.headers["location"] == "/"


async def test_a_partners_host_lets_only_its_own_people_in(portal: Portal) -> None:
    retailer, other = await portal.stage.retailer(), await portal.stage.retailer()
    async with begin(OperatorScope("test"), portal.stage.database) as session:
        partner = await session.fetch_value(
            "select partner_id from tenant where id = $1", retailer.tenant_id
        )
        await add_host(session, partner, "shop.example")
    own = await portal.person("retailer_staff", tenant_id=retailer.tenant_id)
    stranger = await portal.person("retailer_staff", tenant_id=other.tenant_id)

    answers = [
        await each.client.get(f"{portal.url}/account", headers={"host": "shop.example"})
        for each in (own, stranger)
    ]

    assert [each.status_code for each in answers] == [200, 303]


async def test_what_happened_at_the_door_stands_in_a_whole_audit_log(portal: Portal) -> None:
    report = await verify_chain(platform("test"), portal.stage.database)

    assert report.ok
    async with begin(platform("test"), portal.stage.database) as session:
        rows = await session.fetch("select distinct action from audit where action like 'people.%'")
    assert {"people.sign_in", "people.accept_invitation", "people.enter_by_link"} <= {
        row["action"] for row in rows
    }


async def test_no_secret_of_the_door_is_stored_readable(portal: Portal) -> None:
    _, secret, browser = await accepted(portal)
    cookie = next(iter(browser.client.cookies.values()))

    async with begin(GateScope(), portal.stage.database) as session:
        rows = await session.fetch(
            "select c::text as line from credential c union all"
            " select s::text from portal_session s"
        )

    stored = "".join(row["line"] for row in rows)
    assert secret not in stored
    assert PASSWORD not in stored
    assert cookie not in stored
    assert secret.encode().hex() not in stored
    assert "$argon2id$" in stored

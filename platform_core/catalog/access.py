"""Who may write where, enforced below this library: SQL for PostgreSQL and a policy for S3, for administrators."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text

from platform_core.errors import SettingsError
from platform_core.namespaces import KEPT_OF_NAME, THROWAWAY, Namespace

MEMBER = "headrace_member"  # whoever has a namespace: reads everything, appends to its own


def role_of(namespace: Namespace) -> str:
    """The database role that may write to a namespace, and no other one."""
    return f"headrace_{namespace.slug}"


def grants(namespace: Namespace, schema: str = "public") -> str:
    """A script that lets one role write to a namespace. May be run again; sets the catalog up as well.

    The role logs in only once the administrator has given it a password or a certificate. The owner of the tables and
    superusers are not limited: nobody but the administrator should connect as one of them.
    """
    role = _quoted(role_of(namespace))
    return "\n".join(
        [
            f"SET search_path = {_quoted(schema)};",
            SETUP.format(schema=_quoted(schema), member=MEMBER),
            f"-- {namespace}",
            _create_role(role, "LOGIN"),
            f"GRANT {MEMBER} TO {role};",
        ]
    )


def revocation(namespace: Namespace) -> str:
    """A script that takes the role of a namespace away; nothing else has to be undone."""
    return f"DROP ROLE IF EXISTS {_quoted(role_of(namespace))};"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _create_role(role: str, option: str) -> str:
    return f"DO $$ BEGIN CREATE ROLE {role} {option}; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"


def _policy(table: str, name: str, action: str, condition: str) -> str:
    clause = {
        "SELECT": f"USING ({condition})",
        "INSERT": f"WITH CHECK ({condition})",
        "UPDATE": f"USING ({condition}) WITH CHECK ({condition})",
        "DELETE": f"USING ({condition})",
    }[action]
    return (
        f"DROP POLICY IF EXISTS {name} ON {table};\nCREATE POLICY {name} ON {table} FOR {action} TO {MEMBER} {clause};"
    )


def _own(table: str, column: str = "namespace") -> str:
    return f"headrace_may_write({table}.{column})"


def _own_transaction(table: str) -> str:
    """Rows belong to a transaction of their own namespace: nobody adds to what another one did."""
    same = f"t.number = {table}.transaction AND t.namespace = {table}.namespace"
    return f"{_own(table)} AND EXISTS (SELECT 1 FROM transactions t WHERE {same})"


OF_TRANSACTIONS = ("pins", "versions", "refs", "promotions", "aliases", "tags", "sweeps", "trials")
TABLES = ("namespaces", "transactions", "branches", "run_starts", *OF_TRANSACTIONS)

BRANCH_ACTIONS = ("INSERT", "UPDATE", "DELETE")

# The name of a role follows from the namespace, so that no table of rights has to be kept, nor can be tampered with.
# Whoever has a personal namespace may write to the throwaways beside it too, which have a part of its name.
MAY_WRITE = f"""\
CREATE OR REPLACE FUNCTION headrace_may_write(namespace text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
    SELECT EXISTS (
        SELECT 1 FROM pg_roles
        WHERE pg_has_role(oid, 'USAGE') AND (
            rolname = 'headrace_' || replace(namespace, '/', '-')
            OR starts_with(rolname, 'headrace_user-') AND starts_with(
                namespace, 'user/' || rtrim(left(substr(rolname, 15), {KEPT_OF_NAME}), '-') || '{THROWAWAY}'
            )
        )
    )
$$;"""

# Numbers of transactions are not among what may be inserted: the database gives them.
PRIVILEGES = """\
GRANT USAGE ON SCHEMA {schema} TO {member};
GRANT SELECT ON catalog_revision, namespaces, transactions, pins, versions, refs, branches, promotions, aliases, tags,
    run_starts, sweeps, trials TO {member};
GRANT INSERT ON
    namespaces, pins, versions, refs, branches, promotions, aliases, tags, run_starts, sweeps, trials TO {member};
GRANT INSERT (namespace, kind, author, message, committed_at, token) ON transactions TO {member};
GRANT USAGE ON SEQUENCE transactions_number_seq TO {member};
GRANT UPDATE (owner, created_at, closed_at) ON namespaces TO {member};
GRANT UPDATE (forgotten_at) ON versions TO {member};
GRANT UPDATE, DELETE ON branches TO {member};"""

SETUP = "\n".join(
    [
        "-- Once for a catalog: members read everything and append to their own namespace.",
        _create_role("{member}", "NOLOGIN"),
        PRIVILEGES,
        MAY_WRITE,
        *(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;" for table in TABLES),
        *(_policy(table, "all_may_read", "SELECT", "true") for table in TABLES),
        _policy("namespaces", "own_insert", "INSERT", _own("namespaces", "name")),
        _policy("namespaces", "own_update", "UPDATE", _own("namespaces", "name")),
        *(_policy(table, "own_insert", "INSERT", _own(table)) for table in ("transactions", "run_starts")),
        *(_policy(table, "own_insert", "INSERT", _own_transaction(table)) for table in OF_TRANSACTIONS),
        *(_policy("branches", f"own_{action.lower()}", action, _own("branches")) for action in BRANCH_ACTIONS),
        _policy("versions", "own_update", "UPDATE", _own("versions")),
    ]
)


def rights_to(table: str) -> str:
    """A script that lets the members of a catalog which was set up before append to a table that is new in it."""
    own = _own_transaction(table) if table in OF_TRANSACTIONS else _own(table)
    return "\n".join(
        [
            f"GRANT SELECT, INSERT ON {table} TO {MEMBER};",
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;",
            _policy(table, "all_may_read", "SELECT", "true"),
            _policy(table, "own_insert", "INSERT", own),
        ]
    )


def has_members(connection: Connection) -> bool:
    """Whether roles were let into this catalog, which then need rights to what an upgrade brings."""
    if connection.dialect.name != "postgresql":
        return False
    granted = f"SELECT 1 FROM pg_roles WHERE rolname = '{MEMBER}' AND has_table_privilege(oid, 'refs', 'INSERT')"
    return connection.scalar(text(granted)) is not None


def s3_policy(
    namespace: Namespace, store: str, principal: str | None = None, folders: Sequence[str] = ()
) -> dict[str, Any]:
    """A policy by which one may read the whole store and write below the prefix of a namespace.

    Without `principal` it is one to attach to a user or role; with the ARN of one it is one for the bucket. `folders`,
    each s3://bucket/prefix, are others that it may read and write, such as that of HEADRACE_BATCH_FOLDER.
    """
    return _s3_policy(_prefixes(namespace), store, principal, folders)


def s3_policy_of_branches(store: str, folders: Sequence[str] = ()) -> dict[str, Any]:
    """The same for whoever opens, computes and closes branches: it may write to each of them, and to nothing else."""
    return _s3_policy(["branch/*"], store, None, folders)


def _s3_policy(prefixes: Sequence[str], store: str, principal: str | None, folders: Sequence[str]) -> dict[str, Any]:
    if not store.startswith("s3://"):
        raise SettingsError(f"The store {store} is not on S3; its folder is protected by its file system.")
    bucket, _, prefix = store.removeprefix("s3://").strip("/").partition("/")
    root = f"arn:aws:s3:::{bucket}"
    everything = f"{root}/{prefix}/*" if prefix else f"{root}/*"
    places = [folder.removeprefix("s3://").strip("/") for folder in folders]
    others = [f"arn:aws:s3:::{place}/*" for place in places]
    buckets = list(dict.fromkeys([root, *(f"arn:aws:s3:::{place.partition('/')[0]}" for place in places)]))
    own = [everything.removesuffix("*") + f"{prefix}/*" for prefix in prefixes] + others
    listed = [f"{prefix}/*", *(f"{place.partition('/')[2]}/*" for place in places)]
    listing = {"Condition": {"StringLike": {"s3:prefix": listed}}} if prefix else {}
    statements: list[dict[str, Any]] = [
        {"Sid": "ListStore", "Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": buckets, **listing},
        {
            "Sid": "ReadStore",
            "Effect": "Allow",
            "Action": READ,
            "Resource": [everything, *others] if others else everything,
        },
        {"Sid": "WriteOwn", "Effect": "Allow", "Action": WRITE, "Resource": own},
        # Whatever else somebody is allowed elsewhere.
        {"Sid": "NeverOthers", "Effect": "Deny", "Action": WRITE, "NotResource": own},
    ]
    who = {} if principal is None else {"Principal": {"AWS": principal}}
    return {"Version": "2012-10-17", "Statement": [statement | who for statement in statements]}


def _prefixes(namespace: Namespace) -> list[str]:
    """Where a namespace writes below the store: its own prefix, and those of throwaways beside a personal one."""
    return [str(namespace), *([f"{namespace.throwaways}*"] if namespace.kind == "user" else [])]


READ = ["s3:GetObject", "s3:GetObjectAttributes"]
WRITE = ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]

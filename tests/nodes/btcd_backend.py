#!/usr/bin/env python3
"""What Core Lightning wants to know of the chain, answered by a btcd: a plugin in place of lightningd's own, which only
knows bitcoind. It speaks JSON-RPC on its standard streams and needs nothing but Python. In its environment are
BTCD_RPC (host:port) and BTCD_LOGIN (name:password)."""

import base64
import http.client
import json
import os
import ssl
import sys
import time

# The node on the other side is the test's own, on loopback.
TRUSTING = ssl._create_unverified_context()
LOGIN = "Basic " + base64.b64encode(os.environ["BTCD_LOGIN"].encode()).decode()
# Satoshi for 1000 virtual bytes.
FEE = 2000
# Seconds that btcd may be away, and seconds that one answer may take.
PATIENCE = 300
LIMIT = 10
# Who has started this. It may be killed.
PARENT = os.getppid()


class Refused(Exception):
    """btcd has understood and said no."""


def ask(method, *params):
    """One question to btcd. While it is away it is asked again: lightningd ends itself when its chain backend fails."""
    body = json.dumps({"jsonrpc": "1.0", "id": 1, "method": method, "params": params})
    given_up = time.monotonic() + PATIENCE
    while True:
        try:
            answer = exchange(body)
            break
        except (OSError, http.client.HTTPException):
            if time.monotonic() > given_up or os.getppid() != PARENT:
                raise
            time.sleep(0.5)
    if answer["error"]:
        raise Refused(answer["error"]["message"])
    return answer["result"]


def exchange(body):
    """One request over a connection of its own."""
    connection = http.client.HTTPSConnection(os.environ["BTCD_RPC"], context=TRUSTING, timeout=LIMIT)
    try:
        connection.request("POST", "/", body, {"Authorization": LOGIN, "Content-Type": "application/json"})
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def chain_info(_):
    height = ask("getblockcount")
    return {"chain": "regtest", "headercount": height, "blockcount": height, "ibd": False}


def block_at(params):
    height = int(params["height"])
    if height > ask("getblockcount"):
        return {"blockhash": None, "block": None}
    block = ask("getblockhash", height)
    return {"blockhash": block, "block": ask("getblock", block, 0)}


def fees(_):
    rates = [{"blocks": blocks, "feerate": FEE} for blocks in (2, 6, 12, 100)]
    return {"feerate_floor": 1000, "feerates": rates}


def output(params):
    found = ask("gettxout", params["txid"], int(params["vout"]), True)
    if not found:
        return {"amount": None, "script": None}
    return {"amount": round(found["value"] * 100_000_000), "script": found["scriptPubKey"]["hex"]}


def send(params):
    try:
        ask("sendrawtransaction", params["tx"], True)
    except Refused as no:
        return {"success": False, "errmsg": str(no)}
    return {"success": True, "errmsg": ""}


# The name of each call, its parameters in order, and who answers it.
CALLS = {
    "getchaininfo": (["last_height"], chain_info),
    "getrawblockbyheight": (["height"], block_at),
    "estimatefees": ([], fees),
    "getutxout": (["txid", "vout"], output),
    "sendrawtransaction": (["tx", "allowhighfees"], send),
}


def manifest():
    methods = [
        {"name": name, "usage": " ".join(names), "description": "from btcd"} for name, (names, _) in CALLS.items()
    ]
    return {"options": [], "subscriptions": [], "hooks": [], "rpcmethods": methods, "dynamic": False}


def answer(request):
    method, params = request["method"], request.get("params") or {}
    if method == "getmanifest":
        return manifest()
    if method == "init":
        return {}
    names, respond = CALLS[method]
    return respond(dict(zip(names, params)) if isinstance(params, list) else params)


def requests():
    """lightningd's requests, as they come: JSON documents with blank lines between them, cut anywhere."""
    decoder, text = json.JSONDecoder(), ""
    while piece := os.read(sys.stdin.fileno(), 65536):
        text = (text + piece.decode()).lstrip()
        while text:
            try:
                request, end = decoder.raw_decode(text)
            except ValueError:
                break
            text = text[end:].lstrip()
            yield request


for request in requests():
    if "id" not in request:
        continue
    reply = {"jsonrpc": "2.0", "id": request["id"]}
    try:
        reply["result"] = answer(request)
    except Exception as error:
        reply["error"] = {"code": -1, "message": f"{type(error).__name__}: {error}"}
    sys.stdout.write(json.dumps(reply) + "\n\n")
    sys.stdout.flush()

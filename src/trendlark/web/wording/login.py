"""What the page for logging in says."""

from __future__ import annotations

from collections.abc import Mapping

from trendlark.web.vocabulary import Message

MESSAGES: Mapping[str, Message] = {
    "login": Message("Log in", "Iniciar sesión"),
    "login_text": Message(
        "This server is open to those who have its token, which is api_token in its settings. "
        "The login lasts thirty days.",
        "Este servidor está abierto a quien tenga su token, que es api_token en su configuración. "
        "La sesión dura treinta días.",
    ),
    "login_token": Message("Token of this server", "Token de este servidor"),
    "login_wrong": Message(
        "Found another token than this server's. Copy it whole from the settings and try again.",
        "Ese no es el token de este servidor. Cópielo entero de la configuración e inténtelo de nuevo.",
    ),
    "logout": Message("Log out", "Cerrar sesión"),
}  # fmt: skip

"""What the page that compares says."""

from __future__ import annotations

from collections.abc import Mapping

from trendlark.web.vocabulary import Message

MESSAGES: Mapping[str, Message] = {
    "compare_title": Message("Trends side by side", "Tendencias una junto a otra"),
    "compare_choose": Message("Choose two to five trends", "Elija de dos a cinco tendencias"),
    "compare_choose_help": Message(
        "Of one place or of several; the same trend in several places, too.",
        "De un mismo lugar o de varios; también la misma tendencia en varios lugares.",
    ),
    "compare_change": Message("Choose other trends", "Elegir otras tendencias"),
    "compare_this": Message("Compare with other trends", "Comparar con otras tendencias"),
    "compare_button": Message("Compare", "Comparar"),
    "compare_one_more": Message(
        "One trend is chosen; choose at least one more.", "Hay una tendencia elegida; elija al menos otra."
    ),
    "compare_too_many": Message(
        "Found {n} trends chosen; five is the most. Take some out.",
        "Hay {n} tendencias elegidas; el máximo es cinco. Quite algunas.",
    ),
    "compare_wrong": Message(
        "Found “{text}” as a trend; trends are written source/place/name, such as x/es/#Madrid.",
        "“{text}” no es una tendencia; se escriben fuente/lugar/nombre, por ejemplo x/es/#Madrid.",
    ),
    "compare_nowhere": Message(
        "Found none of these trends in the lake. Choose others below.",
        "Ninguna de estas tendencias está en el lago de datos. Elija otras abajo.",
    ),
    "compare_elsewhere": Message("The same trend in other places", "La misma tendencia en otros lugares"),
    "compare_absent": Message("Not among the trends of this hour.", "No está entre las tendencias de esta hora."),
    "compare_absent_ever": Message("Not in the lake.", "No está en el lago de datos."),
    "compare_seen": Message("It was at {hour}", "Estuvo el {hour}"),
    "compare_remove": Message("Take out", "Quitar"),
    "compare_remove_of": Message("Take out {name}", "Quitar {name}"),
    "compare_first": Message("Compare with this", "Comparar con esta"),
    "compare_first_of": Message("Compare the others with {name}", "Comparar las demás con {name}"),
    "compare_is_first": Message("The others are compared with this", "Las demás se comparan con esta"),
    "compare_measure": Message("Share of the tweets", "Porcentaje de los tuits"),
    "compare_help": Message(
        "Below each share its difference to {letter} in points, with its interval. Bold with an arrow: clear. All {n} "
        "differences between the trends hold at once at 95%, so at most one page in twenty marks one by chance.",
        "Debajo de cada porcentaje, su diferencia con {letter} en puntos, con su intervalo. En negrita y con flecha: "
        "clara. Las {n} diferencias entre las tendencias valen a la vez al 95\u00a0%: como mucho una página de cada "
        "veinte marca alguna por azar.",
    ),
    "compare_clear_count": Message("{n} of {all} differences are clear", "{n} de {all} diferencias son claras"),
    "compare_clear_one": Message("1 of {all} differences is clear", "1 de {all} diferencias es clara"),
    "compare_more": Message("clearly more than {letter}", "claramente más que {letter}"),
    "compare_less": Message("clearly less than {letter}", "claramente menos que {letter}"),
    "compare_same": Message("may be chance", "puede ser azar"),
    "compare_shared": Message(
        "{n} tweets were drawn for more than one of these trends. They make the true differences smaller, so the "
        "intervals are wider than they need be.",
        "{n} tuits se extrajeron para más de una de estas tendencias. Reducen las diferencias reales, así que los "
        "intervalos son más anchos de lo necesario.",
    ),
    "compare_shared_one": Message(
        "1 tweet was drawn for more than one of these trends. It makes the true differences smaller, so the intervals "
        "are wider than they need be.",
        "1 tuit se extrajo para más de una de estas tendencias. Reduce las diferencias reales, así que los intervalos "
        "son más anchos de lo necesario.",
    ),
    "compare_models": Message(
        "These trends were read by different models ({models}), so no difference is marked. Analyse the hour again.",
        "Estas tendencias las leyeron modelos distintos ({models}), así que no se marca ninguna diferencia. Vuelva a "
        "analizar la hora.",
    ),
    "compare_waiting": Message(
        "Fewer than two of these trends are summed up in this hour, so there is nothing to compare yet.",
        "Menos de dos de estas tendencias tienen resumen en esta hora, así que aún no hay nada que comparar.",
    ),
    "compare_talk": Message("What they talk about", "De qué hablan"),
}  # fmt: skip

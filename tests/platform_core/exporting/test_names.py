"""Names in MLflow."""

from platform_core.exporting.names import metric_names, model_name, quoted


def test_names_become_what_mlflow_takes_and_stay_different() -> None:
    told = metric_names(["auc", "auc[origin=JFK]", "auc[origin_JFK]", "a:b", "größe", "?"])
    assert told == {
        "auc": "auc",
        "auc[origin=JFK]": "auc.origin_JFK",
        "auc[origin_JFK]": "auc.origin_JFK_2",
        "a:b": "a_b",
        "größe": "größe",
        "?": "_",
    }
    assert model_name("shop/a:b") == "shop.a.b"
    assert quoted("it's") == "'it\\'s'"

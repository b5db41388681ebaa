"""Settings: parsed, checked, and refused in a sentence that tells what to type."""

import pytest

import kerasviz as kv


@pytest.mark.parametrize(
    ("use", "sentence"),
    [
        (
            lambda: kv.Saliency(reduce="l3"),
            "saliency: reduce must be one of max-abs, l2, sum, positive, negative, found 'l3'. Did you mean 'l2'? "
            "The default is 'max-abs'.",
        ),
        (
            lambda: kv.CAM(all_classes="perhaps"),
            "cam: all_classes must be yes or no, found 'perhaps'. The default is False.",
        ),
        (
            lambda: kv.Activations(layer=5),
            "activations: layer must be layers, found 5. Leave it out for the default.",
        ),
    ],
)
def test_what_is_out_of_its_limits_is_answered_with_what_is_near_and_the_default(use, sentence):
    with pytest.raises(kv.SettingError) as caught:
        use()
    assert str(caught.value) == sentence


@pytest.mark.parametrize(("text", "value"), [("yes", True), ("False", False), ("1", True), (True, True)])
def test_text_and_values_mean_the_same(text, value):
    assert kv.CAM(all_classes=text) == kv.CAM(all_classes=value)

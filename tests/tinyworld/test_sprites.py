"""Sprites: the atlas is whole, and every tone is one that its name fits."""

import colorsys
import random
from importlib import resources

import numpy as np
import pytest
from PIL import ImageFont

from ris.tinyworld import sprites
from ris.tinyworld.scene import make_scene
from training.draw_sprites import GLYPHS

LOOKS = [(colour, shade) for colour in sprites.COLOURS for shade in (None, *sprites.SHADES.get(colour, ()))]


def brightness(sprite: np.ndarray) -> float:
    visible = sprite[..., 3] > 128
    return float(sprite[visible][:, :3].mean())


def hue(rgb: np.ndarray) -> float:
    return colorsys.rgb_to_hsv(*(float(channel) / 255 for channel in rgb))[0]


@pytest.mark.parametrize("noun", sprites.NOUNS)
def test_every_noun_has_a_sprite_that_fills_its_cell(noun):
    sprite = sprites.draw_sprite(noun, None, None, random.Random(0))

    visible = sprite[..., 3] > 128
    assert max(sprite.shape[:2]) == 110
    assert visible.mean() > 0.12
    assert visible.any(0)[[0, 1, -2, -1]].any() and visible.any(1)[[0, 1, -2, -1]].any()


def test_the_atlas_has_what_the_script_draws():
    assert tuple(GLYPHS) == sprites.NOUNS


def test_scenes_need_no_font(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise OSError("no font on this machine")

    monkeypatch.setattr(ImageFont, "truetype", refuse)
    sprites._load_atlas.cache_clear()
    sprites._get_glyph.cache_clear()

    assert make_scene(random.Random(0)).things


def test_the_licence_of_the_glyphs_travels_with_them():
    licence = resources.files("ris.tinyworld").joinpath("OFL.txt").read_text(encoding="utf-8")

    assert licence.startswith("Copyright")
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence


@pytest.mark.parametrize("colour", [c for c in sprites.COLOURS if c not in ("white", "black")])
def test_a_tone_is_nearest_to_the_hue_of_its_own_name(colour):
    rng = random.Random(1)
    hues = {
        name: hue(np.array(rgb)) for name, rgb in sprites.COLOURS.items() if name not in ("white", "black")
    }

    for _ in range(200):
        for shade in (None, *sprites.SHADES.get(colour, ())):
            found = hue(sprites.choose_tint(colour, shade, rng))
            off = {name: min(abs(found - h), 1 - abs(found - h)) for name, h in hues.items()}
            assert min(off, key=off.__getitem__) == colour


@pytest.mark.parametrize("colour", sprites.SHADES)
@pytest.mark.parametrize("noun", ["dog", "car", "cup", "man", "sheep"])
def test_dark_is_darker_and_light_lighter_than_any_plain_tone(noun, colour):
    rng = random.Random(2)
    seen = {
        shade: [brightness(sprites.draw_sprite(noun, colour, shade, rng)) for _ in range(30)]
        for shade in (None, *sprites.SHADES[colour])
    }

    assert max(seen["dark"]) < min(seen[None])
    if "light" in seen:
        assert min(seen["light"]) > max(seen[None])


def test_a_shade_that_the_colour_lacks_is_an_error():
    with pytest.raises(ValueError, match=r"yellow has no shade 'dark'"):
        sprites.choose_tint("yellow", "dark", random.Random(0))

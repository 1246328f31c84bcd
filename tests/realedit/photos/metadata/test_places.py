"""What counts as a place, and what only looks like one."""

import pytest

from realedit.photos.metadata.places import Places, is_place_property, without_coordinates


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Sunset geo:48.1372,11.5755", "Sunset"),
        ("Sunset geo:lat=48.1372 geo:lon=11.5755", "Sunset"),
        ("Sunset, 48.1372, 11.5755", "Sunset"),
        ("-33.8568, 151.2153", ""),
        ("lat: 48.13, lon: 11.57", ""),
        ("Latitude 48.1372 Longitude 11.5755", ""),
        ("48\u00b0 8' 13.9\" N, 11\u00b0 34' 31\" E", ""),
        ("48\u00b08\u203213\u2033N", ""),
        ("N 48.1372 E 11.5755", ""),
        ("48.1372\u00b0 N 11.5755\u00b0 E", ""),
        ("48,8.232N", ""),
        ("+48.1372+011.5755/", ""),
        ("8FWH4HX8+QR", ""),
        ("see https://www.google.com/maps/@48.1,11.5,15z", "see"),
    ],
)
def test_coordinates_are_taken_out_of_text(text: str, left: str) -> None:
    assert without_coordinates(text) == left


@pytest.mark.parametrize(
    "text",
    [
        *(
            "20\u00b0C in the shade",
            "24-70mm f/2.8",
            "2024:05:06 07:08:09",
            "1/125 s, f/2.8",
            "EF24-105mm f/4L",
        ),
        *("Long 3 day walk", "a flat in the city", "W 20 minutes", "It is 5' 3\" tall", "version 1.2.3, 4.5"),
        *(
            "NIKON D850",
            "https://example.org/photo",
            "AAAA+BBBB/12+345/67==",
            "late 2024",
            "2 x 3.5",
            "geometry",
        ),
    ],
)
def test_other_text_stays(text: str) -> None:
    assert without_coordinates(text) == text and not Places().is_keyword(text)


@pytest.mark.parametrize(
    "keyword",
    [
        *(
            "geotagged",
            "Geotag",
            "geo:lat=48.1",
            "geo:city=Munich",
            "place:town=Munich",
            "gps",
            "geolat48.1372",
        ),
        *(
            "Places|Germany|Munich",
            "Location/Munich",
            "Orte/M\u00fcnchen",
            "48.1372,11.5755",
            "geo:48.1,11.5",
        ),
    ],
)
def test_keywords_of_places(keyword: str) -> None:
    assert Places().is_keyword(keyword)


@pytest.mark.parametrize(
    "keyword", ["sunset", "People|Jane", "Munich", "geology", "placebo", "a/b", "GPSy", "/"]
)
def test_keywords_that_are_no_places(keyword: str) -> None:
    assert not Places().is_keyword(keyword)


def test_a_keyword_that_the_photo_names_as_a_place_is_one() -> None:
    places = Places()
    places.learn(["Munich", "DE", "12"])
    places.learn_keyword("Places|Bavaria|Schwabing")
    assert all(map(places.is_keyword, ("munich", "Bavaria", "Schwabing", "Places")))
    assert not any(map(places.is_keyword, ("DE", "12", "Germany")))
    assert places.named_in("Rain over MUNICH".encode("utf-16-le")) and not places.named_in(b"Rain")


@pytest.mark.parametrize(
    ("name", "is_place"),
    [
        *(
            (name, True)
            for name in ("GPSLatitude", "GpsLongtitude", "City", "Country", "CountryCode", "State")
        ),
        *(
            (name, True)
            for name in ("Location", "LocationShown", "shotLocation", "AbsoluteAltitude", "coverage")
        ),
        *(
            (name, True)
            for name in ("ProvinceState", "Sublocation", "WorldRegion", "lat", "long", "GPSXYAccuracy")
        ),
        *(
            (name, False)
            for name in ("CiAdrCity", "creator", "Statement", "PoseHeadingDegrees", "Regions", "Rating")
        ),
        *(
            (name, False)
            for name in ("PlacedXResolution", "Allocation", "CreateDate", "plate", "SceneCaptureType")
        ),
    ],
)
def test_properties_of_places(name: str, is_place: bool) -> None:
    assert is_place_property(name) is is_place

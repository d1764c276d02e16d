//! Great-circle distance, and the published forms of a location (AWS spec 3.4, geoqueries).

use crate::predicate::{AxisOrder, GeoArea};
use crate::value::Datum;
use serde_json::Value;

/// The mean radius of the earth in metres.
const EARTH: f64 = 6_371_008.8;

/// Whether the location lies in the area. A value that is no location does not.
///
/// Texts and arrays are read in the order that the area says, WKT points longitude first.
pub(super) fn near(value: &Datum<'_>, area: GeoArea) -> bool {
    location(value, area.order)
        .is_some_and(|(latitude, longitude)| distance(latitude, longitude, area) <= area.metres)
}

/// The haversine distance in metres.
fn distance(latitude: f64, longitude: f64, area: GeoArea) -> f64 {
    let (here, there) = (latitude.to_radians(), area.latitude.to_radians());
    let half_latitude = ((there - here) / 2.0).sin();
    let half_longitude = ((area.longitude - longitude).to_radians() / 2.0).sin();
    let a =
        half_latitude * half_latitude + here.cos() * there.cos() * half_longitude * half_longitude;
    2.0 * EARTH * a.sqrt().min(1.0).asin()
}

fn location(value: &Datum<'_>, order: AxisOrder) -> Option<(f64, f64)> {
    let ordered = |first, second| match order {
        AxisOrder::LatLon => (first, second),
        AxisOrder::LonLat => (second, first),
    };
    let (latitude, longitude) = match value {
        Datum::Text(text) => point(text, ordered)?,
        Datum::Array([first, second]) => ordered(first.as_f64()?, second.as_f64()?),
        Datum::Object(members) => {
            let named = |names: &[&str]| {
                names
                    .iter()
                    .find_map(|name| members.get(*name).and_then(Value::as_f64))
            };
            (
                named(&["lat", "latitude"])?,
                named(&["lon", "long", "longitude"])?,
            )
        }
        _ => return None,
    };
    (latitude.abs() <= 90.0 && longitude.abs() <= 180.0).then_some((latitude, longitude))
}

/// Latitude and longitude of a WKT point, or of two numbers with a comma between them.
fn point(text: &str, ordered: impl Fn(f64, f64) -> (f64, f64)) -> Option<(f64, f64)> {
    let text = text.trim();
    if let Some(inner) = text
        .strip_prefix("POINT")
        .map(str::trim_start)
        .and_then(|rest| rest.strip_prefix('('))
    {
        let mut numbers = inner
            .strip_suffix(')')?
            .split_whitespace()
            .map(str::parse::<f64>);
        let (longitude, latitude) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
        return numbers.next().is_none().then_some((latitude, longitude));
    }
    let (first, second) = text.split_once(',')?;
    Some(ordered(
        first.trim().parse().ok()?,
        second.trim().parse().ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_published_form_is_read() {
        let seattle = GeoArea {
            latitude: 47.6204,
            longitude: -122.3491,
            metres: 15_500.0,
            order: AxisOrder::LatLon,
        };
        for place in [
            json!("POINT(-122.33 47.61)"),
            json!("47.61, -122.33"),
            json!({"lat": 47.61, "lon": -122.33}),
            json!({"latitude": 47.61, "longitude": -122.33}),
            json!([47.61, -122.33]),
        ] {
            assert!(near(&Datum::of(&place), seattle), "{place}");
        }
        for place in [
            json!("somewhere"),
            json!([1, 2, 3]),
            json!([-122.33, 47.61]),
            json!(5),
            json!("52.5, 13.4"),
        ] {
            assert!(!near(&Datum::of(&place), seattle), "{place}");
        }
    }

    #[test]
    fn the_order_is_of_texts_and_arrays_only() {
        let oslo = GeoArea {
            latitude: 59.91,
            longitude: 10.75,
            metres: 5000.0,
            order: AxisOrder::LonLat,
        };
        let latitude_first = GeoArea {
            order: AxisOrder::LatLon,
            ..oslo
        };
        for (place, swapped) in [
            (json!([10.75, 59.91]), true),
            (json!("10.75,59.91"), true),
            (json!("POINT(10.75 59.91)"), false),
            (json!({"lat": 59.91, "long": 10.75}), false),
        ] {
            assert!(near(&Datum::of(&place), oslo), "{place}");
            assert_eq!(
                near(&Datum::of(&place), latitude_first),
                !swapped,
                "{place}"
            );
        }
    }

    #[test]
    fn a_degree_of_latitude_is_111_km() {
        let equator = GeoArea {
            latitude: 0.0,
            longitude: 0.0,
            metres: 0.0,
            order: AxisOrder::LatLon,
        };
        assert!((distance(1.0, 0.0, equator) - 111_195.0).abs() < 1.0);
    }

    /// Distances in kilometres on a sphere of the mean radius, computed by vectors and not by haversines.
    #[test]
    fn distances_between_places() {
        for (latitude, longitude, there, kilometres) in [
            (51.5074, -0.1278, (40.7128, -74.0060), 5570.2),
            (-33.8688, 151.2093, (-33.4489, -70.6693), 11_346.7),
            (0.0, 179.5, (0.0, -179.5), 111.2),
            (90.0, 0.0, (-90.0, 50.0), 20_015.1),
            (60.0, 10.0, (60.0, 11.0), 55.6),
            (59.91, 10.75, (59.91, 10.75), 0.0),
            (10.0, 20.0, (-10.0, -160.0), 20_015.1),
        ] {
            let area = GeoArea {
                latitude: there.0,
                longitude: there.1,
                metres: 0.0,
                order: AxisOrder::LatLon,
            };
            let found = distance(latitude, longitude, area) / 1000.0;
            assert!(
                (found - kilometres).abs() < 0.1,
                "{latitude} {longitude} {found}"
            );
        }
    }

    #[test]
    fn what_is_a_place() {
        for (value, expected) in [
            (json!([90, 180]), Some((90.0, 180.0))),
            (json!([-90, -180]), Some((-90.0, -180.0))),
            (json!([90.1, 0]), None),
            (json!([0, 180.1]), None),
            (json!([0, -180.1]), None),
            (json!([1, "2"]), None),
            (json!({"latitude": 1, "long": 2}), Some((1.0, 2.0))),
            (json!({"lat": 1}), None),
            (json!(" POINT (2 1) "), Some((1.0, 2.0))),
            (json!("POINT(2 1 0)"), None),
            (json!("POINT(2)"), None),
            (json!("POINT(2 1"), None),
            (json!("POINT 2 1"), None),
            (json!("1 , 2"), Some((1.0, 2.0))),
            (json!("1 2"), None),
            (json!("1,2,3"), None),
        ] {
            let found = location(&Datum::of(&value), AxisOrder::LatLon);
            assert_eq!(found, expected, "{value}");
        }
    }

    /// The edge of the circle belongs to it.
    #[test]
    fn the_centre_is_near_itself() {
        let point = GeoArea {
            latitude: 1.5,
            longitude: 2.5,
            metres: 0.0,
            order: AxisOrder::LatLon,
        };
        assert!(near(&Datum::of(&json!([1.5, 2.5])), point));
        assert!(!near(&Datum::of(&json!([1.5, 2.6])), point));
    }
}

//! Lines cut to what is near an area, so that no number of a picture is too large to draw (Sutherland & Hodgman 1974).

use crate::scene::{Point, Rect};

/// The parts of a line through points, closed or not, that are inside the area.
pub(crate) fn clipped(points: &[Point], closed: bool, area: &Rect) -> Vec<Vec<Point>> {
    let n = points.len();
    let mut parts: Vec<Vec<Point>> = vec![];
    for i in 0..if closed { n } else { n.saturating_sub(1) } {
        let Some([from, to]) = segment(points[i], points[(i + 1) % n], area) else { continue };
        match parts.last_mut() {
            Some(part) if part.last() == Some(&from) => part.push(to),
            _ => parts.push(vec![from, to]),
        }
    }
    parts
}

/// What of a straight line is inside: it is cut at each side of the area, one after the other.
fn segment(from: Point, to: Point, area: &Rect) -> Option<[Point; 2]> {
    let mut ends = [from, to];
    if ends.iter().flatten().any(|x| !x.is_finite()) {
        return None;
    }
    for (axis, limit, sign) in [(0, area.x, 1.0), (0, area.right(), -1.0), (1, area.y, 1.0), (1, area.bottom(), -1.0)] {
        let beyond = ends.map(|end| sign * (end[axis] - limit) < 0.0);
        let cut = |out: Point, other: Point| {
            let share = (limit - out[axis]) / (other[axis] - out[axis]);
            let mut at = out;
            at[axis] = limit;
            at[1 - axis] += share * (other[1 - axis] - out[1 - axis]);
            at
        };
        match beyond {
            [true, true] => return None,
            [true, false] => ends[0] = cut(ends[0], ends[1]),
            [false, true] => ends[1] = cut(ends[1], ends[0]),
            [false, false] => {}
        }
    }
    ends.iter().flatten().all(|x| x.is_finite()).then_some(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AREA: Rect = Rect { x: 0.0, y: 0.0, width: 10.0, height: 10.0 };

    #[test]
    fn what_is_inside_stays_one_line() {
        let square = AREA.corners();
        let all = clipped(&square, true, &AREA);
        assert_eq!(all, [[square.clone(), vec![square[0]]].concat()]);
    }

    #[test]
    fn what_goes_out_and_in_again_is_two() {
        let line = [[1.0, 1.0], [1.0, 1e300], [5.0, 1e300], [5.0, 1.0]];
        assert_eq!(clipped(&line, false, &AREA), [vec![[1.0, 1.0], [1.0, 10.0]], vec![[5.0, 10.0], [5.0, 1.0]]]);
        assert_eq!(clipped(&[[-5.0, 5.0], [15.0, 5.0]], false, &AREA), [[[0.0, 5.0], [10.0, 5.0]]]);
    }

    #[test]
    fn what_is_no_number_is_left_out() {
        assert!(clipped(&[[f64::NAN, 1.0], [f64::INFINITY, 2.0], [1.0, f64::NEG_INFINITY]], true, &AREA).is_empty());
        assert!(clipped(&[], true, &AREA).is_empty());
    }
}

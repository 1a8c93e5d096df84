//! Colours of clusters (Okabe & Ito 2008, "Color Universal Design"), each a hue and a lightness of its own.

use crate::Clusters;
use crate::scene::{Colour, INK, WHITE};

/// Rows of no cluster.
const REST: Colour = Colour(0xa0, 0xa0, 0xa0);

const OKABE_ITO: [Colour; 8] = [
    Colour(0x00, 0x72, 0xb2), // blue
    Colour(0xe6, 0x9f, 0x00), // orange
    Colour(0x00, 0x9e, 0x73), // bluish green
    Colour(0xcc, 0x79, 0xa7), // reddish purple
    Colour(0xd5, 0x5e, 0x00), // vermilion
    Colour(0x56, 0xb4, 0xe9), // sky blue
    Colour(0xe4, 0xd6, 0x3a), // yellow, a little darkened to be seen on white, and no more lest it be orange to some
    Colour(0x55, 0x55, 0x55), // grey for black, which is kept for lines
];

/// The number of colours; clusters beyond it begin anew.
pub const N_COLOURS: usize = 3 * OKABE_ITO.len();

/// Red, green and blue of a cluster's colour, for pictures drawn elsewhere.
pub fn cluster_colour(cluster: usize) -> [u8; 3] {
    let Colour(red, green, blue) = colour(cluster);
    [red, green, blue]
}

/// The colour of a cluster: the eight of the palette, then darker ones, then lighter ones, and round again.
pub(crate) fn colour(cluster: usize) -> Colour {
    let hue = OKABE_ITO[cluster % OKABE_ITO.len()];
    match cluster / OKABE_ITO.len() % 3 {
        0 => hue,
        1 => hue.mix(INK, 0.45),
        _ => hue.mix(WHITE, 0.4),
    }
}

/// The colour of lines about a cluster, which must stand out from its points.
pub(crate) fn line_colour(cluster: usize) -> Colour {
    colour(cluster).mix(INK, 0.35)
}

/// The colour of a label of a clustering, which may be that of no cluster.
pub(crate) fn colour_of(clusters: &Clusters, label: usize) -> Colour {
    if label < clusters.k() { colour(label) } else { REST }
}

/// The darkest shade of a label.
pub(crate) fn deep_colour(clusters: &Clusters, label: usize) -> Colour {
    colour_of(clusters, label).mix(INK, 0.35)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of each channel, 0 to 1, in light.
    fn linear(Colour(red, green, blue): Colour) -> [f64; 3] {
        [red, green, blue].map(|channel| {
            let channel = f64::from(channel) / 255.0;
            if channel <= 0.04045 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) }
        })
    }

    /// The ratio of lightness that WCAG 2.1 asks for.
    fn contrast(a: Colour, b: Colour) -> f64 {
        let luminance = |colour| {
            let [red, green, blue] = linear(colour);
            0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05
        };
        let (a, b) = (luminance(a), luminance(b));
        a.max(b) / a.min(b)
    }

    /// As people see it who lack the receptors of long, middle or short waves (Machado, Oliveira & Fernandes 2009), in CIE L*a*b*.
    fn seen(colour: Colour, matrix: &[[f64; 3]; 3]) -> [f64; 3] {
        let times =
            |matrix: &[[f64; 3]; 3], v: [f64; 3]| matrix.map(|row| row[0] * v[0] + row[1] * v[1] + row[2] * v[2]);
        const XYZ: [[f64; 3]; 3] = [[0.4339, 0.3762, 0.1899], [0.2126, 0.7152, 0.0722], [0.0177, 0.1095, 0.8729]];
        let f = |t: f64| if t > 0.008856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
        let [x, y, z] = times(&XYZ, times(matrix, linear(colour)).map(|x| x.clamp(0.0, 1.0))).map(f);
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    const VISIONS: [(&str, [[f64; 3]; 3]); 4] = [
        ("all", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
        (
            "protanopia",
            [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        ),
        (
            "deuteranopia",
            [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
        ),
        (
            "tritanopia",
            [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
        ),
    ];

    #[test]
    fn the_first_eight_are_told_apart_by_everybody() {
        for (vision, matrix) in VISIONS {
            for a in 0..OKABE_ITO.len() {
                for b in 0..a {
                    let (x, y) = (seen(colour(a), &matrix), seen(colour(b), &matrix));
                    let apart = (0..3).map(|i| (x[i] - y[i]).powi(2)).sum::<f64>().sqrt();
                    // 2.3 is what is just noticed side by side.
                    assert!(apart > 12.0, "{vision}: {a} and {b} are {apart:.1} apart");
                }
            }
        }
    }

    #[test]
    fn lines_and_words_stand_out_from_white() {
        for cluster in 0..24 {
            assert!(contrast(colour(cluster), WHITE) > 1.25, "{cluster}");
        }
        for cluster in 0..16 {
            assert!(
                contrast(line_colour(cluster), WHITE) > 3.0,
                "{cluster}: {}",
                contrast(line_colour(cluster), WHITE)
            );
        }
        assert!(contrast(INK, WHITE) > 7.0 && contrast(crate::scene::FAINT, WHITE) > 4.5);
    }
}

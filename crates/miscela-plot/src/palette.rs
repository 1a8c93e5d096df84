//! Colours of clusters (Okabe & Ito 2008, "Color Universal Design"), each a hue and a lightness of its own.

use crate::scene::{Colour, INK, WHITE};

const OKABE_ITO: [Colour; 8] = [
    Colour(0x00, 0x72, 0xb2), // blue
    Colour(0xe6, 0x9f, 0x00), // orange
    Colour(0x00, 0x9e, 0x73), // bluish green
    Colour(0xcc, 0x79, 0xa7), // reddish purple
    Colour(0xd5, 0x5e, 0x00), // vermilion
    Colour(0x56, 0xb4, 0xe9), // sky blue
    Colour(0xc9, 0xb8, 0x18), // yellow, darkened to be seen on white
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
        _ => hue.mix(WHITE, 0.5),
    }
}

/// The colour of lines about a cluster, which must stand out from its points.
pub(crate) fn line_colour(cluster: usize) -> Colour {
    colour(cluster).mix(INK, 0.35)
}

//! How large a model is: the corners of its meshes, moved by the nodes that they hang on.

use super::{Accessor, FLOAT, Gltf, NODES_MAX, Node, broken, of};
use crate::Refused;

/// The box around a model, in meters: x to the right, y up, z to the viewer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    pub least: [f64; 3],
    pub most: [f64; 3],
}

impl Bounds {
    /// Width, height and depth.
    pub fn sides(&self) -> [f64; 3] {
        let [x, y, z] = self.most;
        let [left, bottom, back] = self.least;
        [x - left, y - bottom, z - back]
    }

    fn with(self, place: [f64; 3]) -> Self {
        let fold = |one: [f64; 3], pick: fn(f64, f64) -> f64| {
            let ([a, b, c], [x, y, z]) = (one, place);
            [pick(a, x), pick(b, y), pick(c, z)]
        };
        Self { least: fold(self.least, f64::min), most: fold(self.most, f64::max) }
    }
}

/// Columns, as glTF writes them; the fourth row is always 0 0 0 1.
type Matrix = [[f64; 3]; 4];

const STILL: Matrix = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0; 3]];

fn moved(by: &Matrix, [x, y, z]: [f64; 3], far: f64) -> [f64; 3] {
    let [a, b, c, d] = by;
    let row = |one: fn(&[f64; 3]) -> f64| one(a) * x + one(b) * y + one(c) * z + one(d) * far;
    [row(|[x, _, _]| *x), row(|[_, y, _]| *y), row(|[_, _, z]| *z)]
}

fn times(outer: &Matrix, [a, b, c, d]: &Matrix) -> Matrix {
    [moved(outer, *a, 0.0), moved(outer, *b, 0.0), moved(outer, *c, 0.0), moved(outer, *d, 1.0)]
}

impl Node {
    fn matrix(&self) -> Matrix {
        if let Some([a, b, c, _, d, e, f, _, g, h, i, _, x, y, z, _]) = self.matrix {
            return [[a, b, c], [d, e, f], [g, h, i], [x, y, z]];
        }
        let [x, y, z, w] = self.rotation.unwrap_or([0.0, 0.0, 0.0, 1.0]);
        let [wide, high, deep] = self.scale.unwrap_or([1.0; 3]);
        let by = |[x, y, z]: [f64; 3], scale: f64| [x * scale, y * scale, z * scale];
        [
            by([1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y + z * w), 2.0 * (x * z - y * w)], wide),
            by([2.0 * (x * y - z * w), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z + x * w)], high),
            by([2.0 * (x * z + y * w), 2.0 * (y * z - x * w), 1.0 - 2.0 * (x * x + y * y)], deep),
            self.translation.unwrap_or([0.0; 3]),
        ]
    }
}

/// The least and largest place of a mesh's corners, as the file tells them.
fn told(accessor: &Accessor, who: &str) -> Result<[[f64; 3]; 2], Refused> {
    if accessor.kind != "VEC3" {
        return Err(broken(format!("{who} has positions of {:?}", accessor.kind)));
    }
    let place = |told: &Option<Vec<f64>>| <[f64; 3]>::try_from(told.as_deref()?).ok();
    let (Some(least), Some(most)) = (place(&accessor.min), place(&accessor.max)) else {
        return Err(broken(format!("{who} does not tell min and max of its positions")));
    };
    let ordered = least.iter().zip(&most).all(|(least, most)| least <= most);
    if !ordered || least.iter().chain(&most).any(|one| !one.is_finite()) {
        return Err(broken(format!("{who} tells min {least:?} and max {most:?}")));
    }
    // Integers may stand for parts of one.
    let unit = match accessor.component_type {
        FLOAT => 1.0,
        _ if !accessor.normalized => 1.0,
        5_120 => 127.0,
        5_121 => 255.0,
        5_122 => 32_767.0,
        _ => 65_535.0,
    };
    Ok([least, most].map(|place| place.map(|one| one / unit)))
}

/// Around everything that hangs on the scene.
pub(super) fn bounds(gltf: &Gltf) -> Result<Bounds, Refused> {
    if gltf.nodes.len() > NODES_MAX {
        let [count, most] =
            [gltf.nodes.len(), NODES_MAX].map(|count| u64::try_from(count).unwrap_or(u64::MAX));
        return Err(Refused::TooMany { what: "nodes", count, most });
    }
    let mut hangs = vec![false; gltf.nodes.len()];
    for (number, node) in gltf.nodes.iter().enumerate() {
        for child in &node.children {
            of(&gltf.nodes, *child, "node", &format!("node {number}"))?;
            // Each hangs on one at most, so a walk from the top ends.
            if hangs.get_mut(*child).is_none_or(|hangs| std::mem::replace(hangs, true)) {
                return Err(broken(format!("node {child} hangs on two")));
            }
        }
    }
    let top: Vec<usize> = match (gltf.scene, gltf.scenes.first()) {
        (Some(number), _) => of(&gltf.scenes, number, "scene", "the file")?.nodes.clone(),
        (None, Some(first)) => first.nodes.clone(),
        (None, None) => (0..gltf.nodes.len()).filter(|number| hangs.get(*number) == Some(&false)).collect(),
    };
    let mut waiting: Vec<(usize, Matrix)> = Vec::new();
    for number in top {
        of(&gltf.nodes, number, "node", "the scene")?;
        if hangs.get_mut(number).is_none_or(|hangs| std::mem::replace(hangs, true)) {
            return Err(broken(format!("node {number} stands at the top and hangs on another")));
        }
        waiting.push((number, STILL));
    }
    let mut bounds: Option<Bounds> = None;
    while let Some((number, outer)) = waiting.pop() {
        let node = of(&gltf.nodes, number, "node", "the scene")?;
        let place = times(&outer, &node.matrix());
        waiting.extend(node.children.iter().map(|child| (*child, place)));
        let Some(mesh) = node.mesh else { continue };
        let who = format!("mesh {mesh}");
        for primitive in &of(&gltf.meshes, mesh, "mesh", &format!("node {number}"))?.primitives {
            let Some(accessor) = primitive.attributes.get("POSITION") else { continue };
            let [least, most] = told(of(&gltf.accessors, *accessor, "accessor", &who)?, &who)?;
            for corner in 0..8 {
                let side = |bit: u8, least: f64, most: f64| if corner & bit == 0 { least } else { most };
                let ([a, b, c], [x, y, z]) = (least, most);
                let corner = moved(&place, [side(1, a, x), side(2, b, y), side(4, c, z)], 1.0);
                bounds = Some(bounds.unwrap_or(Bounds { least: corner, most: corner }).with(corner));
            }
        }
    }
    let bounds = bounds.ok_or_else(|| broken("nothing of it is seen"))?;
    if bounds.least.iter().chain(&bounds.most).any(|one| !one.is_finite()) {
        return Err(broken("it has no end"));
    }
    Ok(bounds)
}

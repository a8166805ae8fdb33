//! What of an experiment is run: which sweeps and points, and who takes part in each.

use crate::error::Failure;

/// Somebody who takes part, known by a spec.
pub trait Known: Clone {
    /// Its canonical spec.
    fn spec(&self) -> &str;
}

/// Everybody who takes part in any sweep, each once.
pub struct Roster<T> {
    all: Vec<T>,
    wanted: Option<Vec<T>>,
}

impl<T: Known> Roster<T> {
    /// Nobody yet. `wanted`: whom the user named, if anybody.
    pub fn new(wanted: Option<Vec<T>>) -> Self {
        Self { all: Vec::new(), wanted }
    }

    /// Who takes part in a sweep that asks for these strategies, which are those. A sweep that asks everybody takes
    /// whoever is wanted; one that asks some, those of them.
    pub fn choose(&self, asked: &[String], mut those: Vec<T>) -> Vec<T> {
        match &self.wanted {
            Some(wanted) if asked == ["*"] => wanted.clone(),
            Some(wanted) => {
                those.retain(|one| wanted.iter().any(|wanted| wanted.spec() == one.spec()));
                those
            }
            None => those,
        }
    }

    /// Their places among all.
    pub fn enter(&mut self, those: Vec<T>) -> Vec<usize> {
        let place = |one: T| {
            self.all.iter().position(|earlier| earlier.spec() == one.spec()).unwrap_or_else(|| {
                self.all.push(one);
                self.all.len() - 1
            })
        };
        those.into_iter().map(place).collect()
    }

    /// All of them.
    pub fn into_all(self) -> Vec<T> {
        self.all
    }
}

/// A sweep, or a point of it, that is asked for.
pub struct Only(pub Option<(String, Option<usize>)>);

impl Only {
    /// Reads `SWEEP` or `SWEEP/POINT`; none asks for all.
    ///
    /// # Errors
    ///
    /// A point that is no number.
    pub fn parse(text: Option<&str>) -> Result<Self, Failure> {
        let Some(text) = text else { return Ok(Self(None)) };
        let Some((name, point)) = text.split_once('/') else {
            return Ok(Self(Some((text.to_owned(), None))));
        };
        let point = point.parse().map_err(|_| {
            Failure::usage(format!("--only {text}: expected SWEEP or SWEEP/POINT, as in `members/3`"))
        })?;
        Ok(Self(Some((name.to_owned(), Some(point)))))
    }

    /// Whether a sweep is asked for.
    pub fn takes(&self, sweep: &str) -> bool {
        self.0.as_ref().is_none_or(|(name, _)| name == sweep)
    }

    /// The point that is asked for, of so many.
    ///
    /// # Errors
    ///
    /// When there is no such point.
    pub fn point(&self, sweep: &str, points: usize) -> Result<Option<usize>, Failure> {
        let point = self.0.as_ref().and_then(|(_, point)| *point);
        match point {
            Some(point) if point >= points => Err(Failure::usage(format!(
                "--only {sweep}/{point}: the sweep has points 0 to {}",
                points.saturating_sub(1)
            ))),
            point => Ok(point),
        }
    }
}

/// The points of so many that are asked for.
pub fn points(only: Option<usize>, points: usize) -> std::ops::Range<usize> {
    only.map_or(0..points, |point| point..point + 1)
}

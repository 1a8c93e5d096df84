//! The aggregate function that a pass over a table is: rows go in, what the task sums up of them comes out.
//!
//! The task lies within the function, not in an argument: arguments are arrays of one value a row. Its state and its result
//! are the same thing, the serialised sums, so that parts of them merge wherever they are.

use crate::error::TableError;
use crate::pass::{AnyTask, Parcel, Pass, Scalar, decode, encode};
use crate::rows::Rows;
use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};
use miscela_em::{Partial, Statistics, Work, WorkError};
use miscela_kernel::Threads;
use std::sync::Arc;

/// The function of one pass.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Gather {
    name: String,
    signature: Signature,
    pass: Arc<Parcel<Pass>>,
}

impl Gather {
    pub(crate) fn function(name: &str, pass: Arc<Parcel<Pass>>) -> AggregateUDF {
        AggregateUDF::new_from_impl(Self { name: name.to_string(), signature: numeric(), pass })
    }

    pub(crate) fn pass(&self) -> &Parcel<Pass> {
        &self.pass
    }
}

/// Any number of arguments, as they are.
pub(crate) fn numeric() -> Signature {
    Signature::variadic_any(Volatility::Immutable)
}

impl AggregateUDFImpl for Gather {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Binary)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format_state_name(args.name, "sums"), DataType::Binary, true))])
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(match self.pass.content.task {
            AnyTask::F32(_) => Box::new(Gathered::<f32>::new(self.pass.clone())?),
            AnyTask::F64(_) => Box::new(Gathered::<f64>::new(self.pass.clone())?),
        })
    }
}

/// What was gathered so far.
#[derive(Debug)]
struct Gathered<F: Scalar> {
    pass: Arc<Parcel<Pass>>,
    work: Work<F>,
    rows: Rows<F>,
    sums: Option<Partial<F>>,
}

impl<F: Scalar> Gathered<F> {
    fn new(pass: Arc<Parcel<Pass>>) -> Result<Self, TableError> {
        let task = F::unwrap(&pass.content.task);
        let task = task.ok_or_else(|| TableError::Message("the task is of another number type".into()))?;
        let work = task.prepare().map_err(WorkError::from)?;
        Ok(Self { pass, work, rows: Rows::new("a part of the table"), sums: None })
    }

    fn add(&mut self, arrays: &[ArrayRef]) -> Result<(), TableError> {
        let Self { pass, work, rows, .. } = self;
        let columns = &pass.content.columns;
        rows.fill(columns, arrays)?;
        let chunk = rows.chunk(columns)?;
        let sums = match chunk.samples(columns.missing)? {
            Some(samples) => Some(work.run(&samples, rows.number(), Threads::One).map_err(WorkError::from)?),
            None => None,
        };
        sums.map_or(Ok(()), |sums| self.merge(sums))
    }

    fn merge(&mut self, sums: Partial<F>) -> Result<(), TableError> {
        match &mut self.sums {
            Some(all) => Ok(all.merge(sums).map_err(WorkError::from)?),
            none => {
                *none = Some(sums);
                Ok(())
            }
        }
    }
}

impl<F: Scalar> Accumulator for Gathered<F> {
    fn update_batch(&mut self, arrays: &[ArrayRef]) -> Result<()> {
        Ok(self.add(arrays)?)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Binary(self.sums.as_ref().map(encode).transpose()?))
    }

    fn size(&self) -> usize {
        // The sums of a task are about as large as the task.
        size_of_val(self) + self.rows.bytes() + self.pass.bytes.len()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for state in states.iter().flat_map(|states| states.as_binary::<i32>().iter()).flatten() {
            self.merge(decode(state)?)?;
        }
        Ok(())
    }
}

/// The statistics that `kmeans_step` or `gmm_step` gathered: to be merged with others of the same model, or made into the next.
///
/// # Errors
/// If the bytes are something else.
pub fn statistics(gathered: &[u8]) -> std::result::Result<Statistics, TableError> {
    // In either number type they are written the same.
    let sums: Partial<f64> = decode(gathered)?;
    Ok(sums.statistics()?.0)
}

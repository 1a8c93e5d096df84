//! How the crate's functions, with what lies within them, get from the machine that plans a query to those that run it.

use crate::error::TableError;
use crate::gather::Gather;
use crate::pass::Parcel;
use crate::score::Score;
use datafusion::common::{Result, not_impl_err};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};
use datafusion::physical_plan::ExecutionPlan;
use datafusion_distributed::DistributedCodec;
use datafusion_proto::physical_plan::{
    ComposedPhysicalExtensionCodec, PhysicalExtensionCodec, PhysicalProtoConverterExtension,
};
use std::any::Any;
use std::sync::Arc;

/// Writes and reads the functions of this crate, and nothing else.
#[derive(Clone, Copy, Debug, Default)]
pub struct FunctionCodec;

fn gather(function: &AggregateUDF) -> Option<&Gather> {
    (function.inner().as_ref() as &dyn Any).downcast_ref()
}

fn score(function: &ScalarUDF) -> Option<&Score> {
    (function.inner().as_ref() as &dyn Any).downcast_ref()
}

impl PhysicalExtensionCodec for FunctionCodec {
    fn try_decode(
        &self,
        _: &[u8],
        _: &[Arc<dyn ExecutionPlan>],
        _: &TaskContext,
        _: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        not_impl_err!("miscela has functions, not plans")
    }

    fn try_encode(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &mut Vec<u8>,
        _: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        not_impl_err!("{} is not of miscela", plan.name())
    }

    fn try_encode_udaf(&self, function: &AggregateUDF, bytes: &mut Vec<u8>) -> Result<()> {
        if let Some(gather) = gather(function) {
            bytes.extend_from_slice(&gather.pass().bytes);
        }
        Ok(())
    }

    fn try_decode_udaf(&self, name: &str, bytes: &[u8]) -> Result<Arc<AggregateUDF>> {
        Ok(Arc::new(Gather::function(name, Arc::new(Parcel::unpack(bytes)?))))
    }

    fn try_encode_udf(&self, function: &ScalarUDF, bytes: &mut Vec<u8>) -> Result<()> {
        if let Some(score) = score(function) {
            bytes.extend_from_slice(&score.bytes()?);
        }
        Ok(())
    }

    fn try_decode_udf(&self, name: &str, bytes: &[u8]) -> Result<Arc<ScalarUDF>> {
        Ok(Arc::new(ScalarUDF::new_from_impl(Score::from_bytes(name, bytes)?)))
    }
}

/// The codec by which a plan is written for workers.
///
/// datafusion-distributed (4.0) asks its own codec first, and that one answers for every function, with nothing: functions then
/// are looked up by name, and what lies within them is lost. So plans are written by these two, in the order in which a worker
/// will have them, the first of which declines the functions of the second.
pub(crate) fn for_workers() -> ComposedPhysicalExtensionCodec {
    ComposedPhysicalExtensionCodec::new(vec![Arc::new(AllButOurs), Arc::new(FunctionCodec)])
}

/// datafusion-distributed's codec, except for functions of this crate.
#[derive(Debug)]
struct AllButOurs;

impl PhysicalExtensionCodec for AllButOurs {
    fn try_decode(
        &self,
        bytes: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        context: &TaskContext,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        DistributedCodec.try_decode(bytes, inputs, context, converter)
    }

    fn try_encode(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        bytes: &mut Vec<u8>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        DistributedCodec.try_encode(plan, bytes, converter)
    }

    fn try_encode_udaf(&self, function: &AggregateUDF, _: &mut Vec<u8>) -> Result<()> {
        decline(gather(function).is_some())
    }

    fn try_encode_udf(&self, function: &ScalarUDF, _: &mut Vec<u8>) -> Result<()> {
        decline(score(function).is_some())
    }
}

fn decline(is_ours: bool) -> Result<()> {
    if is_ours { Err(TableError::Message("another codec's".into()).into()) } else { Ok(()) }
}

// The fault points of NFSv4.1: every operation and callback with its fields and the errors that the RFC lets it return.
#pragma once

#include "common/fault/engine.hpp"
#include "common/fault/vocabulary.hpp"
#include "common/trace/sink.hpp"

namespace pnfs::compound {

void add_nfs_points(fault::Vocabulary& vocabulary);

// From now on each rule that acts is an event of kind "fault" in the trace: which rule, at which point, for whom. The
// sink must outlive the engine.
void trace_faults(fault::Engine& engine, trace::Sink& sink);

}  // namespace pnfs::compound

// The trace of the target: one JSON object a line for every SCSI command answered and every session begun or ended.
// {"ts":1700000000.123456,"node":"target","kind":"scsi","initiator":"iqn..","op":"WRITE(16)","lba":0,"blocks":8,
//  "bytes":4096,"status":"GOOD"}
#pragma once

#include <memory>
#include <string>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "testbed/target/observer.hpp"

namespace pnfs::target {

// Lines are gathered; flush() writes them out. The destructor flushes.
class JsonTrace : public TargetObserver {
 public:
  virtual void flush() = 0;
};

// Appends to `path`.
Result<std::unique_ptr<JsonTrace>> open_json_trace(const std::string& path, const Clock& clock);

}  // namespace pnfs::target

// Results with an opaque body of the files layout, as fault rules see them: LAYOUTGET's segments and GETDEVICEINFO's
// device with a further field `files` that is the body decoded, so that a rule can name what is in it:
//
//   after GETDEVICEINFO do set nflda_stripe_indices[0]=9
//   after LAYOUTGET do set logr_layout[0].nfl_util=0x1002
#pragma once

#include "common/nfs/op_info.hpp"
#include "common/xdr/field_view.hpp"

namespace pnfs::compound {

// The type of an operation's result for rules.
const xdr::TypeInfo* result_for_rules(const nfs::OpInfo& op);

// For one consultation. Everything lies in the arena.
class TypedResult {
 public:
  // The result as rules see it; `result` is of the operation's own type.
  xdr::FieldView open(const nfs::OpInfo& op, void* result, Arena& arena);
  // What rules changed, into `result`. A body whose bytes they wrote is taken as it is.
  void write_back();

 private:
  uint32_t op_ = 0;
  void* result_ = nullptr;
  void* opened_ = nullptr;
  Arena* arena_ = nullptr;
};

}  // namespace pnfs::compound

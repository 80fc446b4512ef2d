#include "common/compound/allowed_errors.hpp"

#include <gtest/gtest.h>

namespace pnfs::compound {
namespace {

using namespace nfs;

TEST(AllowedErrors, WhatTheTableListsPasses) {
  const uint64_t before = errors_outside_table();
  EXPECT_EQ(keep_to_table(*find_op(OP_LAYOUTGET), {NFS4ERR_BADIOMODE, "15.1.10.1", "x"}).status, NFS4ERR_BADIOMODE);
  EXPECT_EQ(keep_to_table(*find_op(OP_LAYOUTGET), {NFS4ERR_RETURNCONFLICT, "", "x"}).status, NFS4ERR_RETURNCONFLICT);
  EXPECT_TRUE(keep_to_table(*find_op(OP_GETATTR), {}).ok());
  EXPECT_EQ(errors_outside_table(), before);
}

TEST(AllowedErrors, AnythingElseIsCountedAndAnsweredAsTheNearest) {
  const uint64_t before = errors_outside_table();
  const Status status = keep_to_table(*find_op(OP_GETATTR), {NFS4ERR_BADIOMODE, "15.1.10.1", "why"});
  EXPECT_EQ(status.status, NFS4ERR_SERVERFAULT);
  EXPECT_EQ(status.reason, "NFS4ERR_BADIOMODE: why");
  EXPECT_EQ(errors_outside_table(), before + 1);
  for (const OpInfo& op : operations()) {
    if (op.retired || op.number == OP_ILLEGAL) continue;
    EXPECT_TRUE(keep_to_table(op, {NFS4ERR_DENIED, "", ""}).status != NFS4_OK) << op.name;
  }
}

}  // namespace
}  // namespace pnfs::compound

#include <gtest/gtest.h>

#include "common/block/iscsi_block_store.hpp"

namespace pnfs::block {
namespace {

TEST(IscsiUrl, Parts) {
  auto url = parse_iscsi_url("iscsi://me%secret@[::1]:13260/iqn.2026-01.org.pnfslab:lab/7");
  ASSERT_TRUE(url.has_value()) << url.error().reason;
  EXPECT_EQ(url->user, "me");
  EXPECT_EQ(url->password, "secret");
  EXPECT_EQ(url->host, "::1");
  EXPECT_EQ(url->port, 13260);
  EXPECT_EQ(url->target, "iqn.2026-01.org.pnfslab:lab");
  EXPECT_EQ(url->lun, 7u);
  EXPECT_EQ(url->display(), "iscsi://[::1]:13260/iqn.2026-01.org.pnfslab:lab/7");
  EXPECT_EQ(parse_iscsi_url("iscsi://10.0.0.1/iqn.x/0")->port, 3260);
  url = parse_iscsi_url("iscsi://me%secret@h/iqn.x/7?target_user=lab&target_password=a=b");
  ASSERT_TRUE(url.has_value()) << url.error().reason;
  EXPECT_EQ(url->lun, 7u);
  EXPECT_EQ(url->target_user, "lab");
  EXPECT_EQ(url->target_password, "a=b");
  EXPECT_EQ(url->display(), "iscsi://h:3260/iqn.x/7");
}

TEST(IscsiUrl, RefusalsNeverShowThePassword) {
  for (const char* bad :
       {"http://x/y/0", "iscsi://", "iscsi://h", "iscsi://h/iqn.x", "iscsi://h/iqn.x/", "iscsi://h/iqn.x/a",
        "iscsi://h:0/iqn.x/1", "iscsi://h:99999/iqn.x/1", "iscsi://u%secret@/iqn.x/1", "iscsi://secret@h/iqn.x/1",
        "iscsi://[::1/iqn.x/1", "iscsi://h/iqn.x/99999", "iscsi://h//1", "iscsi://h/iqn.x/1?secret",
        "iscsi://u%secret@h/iqn.x/1?target_user=lab", "iscsi://h/iqn.x/1?target_user=lab&target_password=secret"}) {
    auto url = parse_iscsi_url(bad);
    ASSERT_FALSE(url.has_value()) << bad;
    EXPECT_EQ(url.error().reason.find("secret"), std::string::npos) << url.error().reason;
  }
}

}  // namespace
}  // namespace pnfs::block

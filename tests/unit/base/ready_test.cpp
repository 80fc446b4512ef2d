#include "common/base/ready.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "common/base/scoped_fd.hpp"

namespace pnfs {
namespace {

class Ready : public ::testing::Test {
 protected:
  void TearDown() override {
    ::unsetenv("NOTIFY_FD");
    ::unsetenv("NOTIFY_SOCKET");
  }
};

TEST_F(Ready, WritesToTheDescriptorAndClosesIt) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const ScopedFd read_end(ends[0]);
  ASSERT_TRUE(tell_ready(ends[1]));
  char text[16] = {};
  EXPECT_EQ(::read(ends[0], text, sizeof text), 6);
  EXPECT_STREQ(text, "ready\n");
  EXPECT_EQ(::read(ends[0], text, sizeof text), 0) << "the write end is still open";
}

TEST_F(Ready, FindsTheDescriptorInTheEnvironment) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const ScopedFd read_end(ends[0]);
  ::setenv("NOTIFY_FD", std::to_string(ends[1]).c_str(), 1);
  ASSERT_TRUE(tell_ready(-1));
  char text[16] = {};
  EXPECT_EQ(::read(ends[0], text, sizeof text), 6);
}

TEST_F(Ready, TellsTheServiceManagerAtAPathAndAtAnAbstractName) {
  const std::string file = (std::filesystem::temp_directory_path() / ("ready-" + std::to_string(::getpid()))).string();
  for (const std::string& where : {file, "@pnfslab-ready-" + std::to_string(::getpid())}) {
    const ScopedFd manager(::socket(AF_UNIX, SOCK_DGRAM, 0));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, where.data(), where.size());
    if (where.front() == '@') name.sun_path[0] = '\0';
    ASSERT_EQ(::bind(manager.get(), reinterpret_cast<sockaddr*>(&name),
                     static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + where.size())),
              0);
    ::setenv("NOTIFY_SOCKET", where.c_str(), 1);
    ASSERT_TRUE(tell_ready(-1)) << where;
    char text[64] = {};
    EXPECT_EQ(::recv(manager.get(), text, sizeof text, MSG_DONTWAIT), 7);
    EXPECT_STREQ(text, "READY=1");
  }
  std::filesystem::remove(file);
}

TEST_F(Ready, SaysWhenNobodyIsThere) {
  ::setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1);
  EXPECT_FALSE(tell_ready(-1));
  ::unsetenv("NOTIFY_SOCKET");
  EXPECT_TRUE(tell_ready(-1));
}

}  // namespace
}  // namespace pnfs

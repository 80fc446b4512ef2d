#include "testbed/target/connection.hpp"

namespace pnfs::target {

void Connection::on_login(const Header& header, ConstBytes data) {
  LoginReply reply = machine_.on_request(header, data);
  if (tsih_ == 0 && reply.status == LoginStatus::success && get16(&header.raw[14]) != 0) {
    // RFC 7143 11.12.6: a further connection of a session; we have one each.
    reply.status = LoginStatus::too_many_connections;
    reply.reason = "a second connection for a session";
  }
  if (reply.status == LoginStatus::success && reply.complete) {
    const Server::Attached attached = server_.attach(*this, machine_.outcome());
    reply.status = attached.status;
    reply.reason = attached.reason;
    if (reply.status == LoginStatus::success) {
      tsih_ = attached.tsih;
      target_ = attached.target;
      nexus_ = attached.nexus;
      full_feature_ = true;
      window_.start(header.cmd_sn(), target_ ? target_->config.queue_depth : 1);
    }
  }
  const bool failed = reply.status != LoginStatus::success;
  Header out;
  out.set_opcode(Opcode::login_response, failed ? reply.flags & 0x0c : reply.flags);
  std::copy_n(&header.raw[8], 6, &out.raw[8]);
  put16(&out.raw[14], failed ? get16(&header.raw[14]) : tsih_);
  out.set_task_tag(header.task_tag());
  put16(&out.raw[36], static_cast<uint16_t>(reply.status));
  // Login requests are immediate: they take no number (RFC 7143 11.12.8).
  if (!full_feature_) window_.start(header.cmd_sn(), 1);
  std::vector<uint8_t> text(reply.text.begin(), reply.text.end());
  if (failed) text.clear();
  send(out, true, {}, {}, std::move(text));
  digests_on_ = full_feature_;
  if (TargetObserver* watcher = server_.watcher(); watcher && (failed || full_feature_)) {
    const auto& who = machine_.outcome();
    watcher->on_session(
        {failed ? "login refused" : "login", who.target, who.initiator, io::to_string(peer()), reply.reason});
  }
  if (failed) {
    close_when_drained_ = true;
    why_closed_ = reply.reason;
  }
}

}  // namespace pnfs::target

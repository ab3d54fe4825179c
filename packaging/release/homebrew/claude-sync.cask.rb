# Filled in by packaging/release/make.py; goes into a tap as Casks/claude-sync.rb.
cask "claude-sync" do
  arch arm: "arm64", intel: "x86_64"

  version "@VERSION@"
  sha256 arm:   "@MACOS_ARM64_SHA256@",
         intel: "@MACOS_X86_64_SHA256@"

  url "@HOME@/releases/download/v#{version}/claude-sync-#{version}-macos-#{arch}.zip"
  name "claude-sync"
  desc "Move Claude Code sessions between machines, byte for byte"
  homepage "@HOME@"

  app "claude-sync.app"
  binary "#{appdir}/claude-sync.app/Contents/MacOS/claude-sync"

  uninstall launchctl: "io.github.claude-sync.tray",
            quit:      "io.github.claude-sync.claude-sync"

  zap trash: "~/Library/Application Support/claude-sync"
end

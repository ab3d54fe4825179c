# Filled in by packaging/release/make.py; goes into a tap as Formula/claude-sync.rb.
class ClaudeSync < Formula
  desc "Move Claude Code sessions between machines, byte for byte"
  homepage "@HOME@"
  url "@SDIST_URL@"
  sha256 "@SDIST_SHA256@"
  license "MIT"

  depends_on "python@3.14"

  def install
    system Formula["python@3.14"].opt_bin/"python3.14", "-m", "venv", libexec
    # What it needs comes as wheels, as pip would have it: nothing is compiled.
    system libexec/"bin/python", "-m", "pip", "install", "--only-binary=:all:", "--no-binary=claude-sync", buildpath
    bin.install_symlink libexec/"bin/claude-sync", libexec/"bin/claude-sync-tray"
    generate_completions_from_executable(bin/"claude-sync", "completion", shells: [:bash, :zsh, :fish])
  end

  service do
    run [opt_bin/"claude-sync", "watch"]
    keep_alive crashed: true
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/claude-sync --version")
  end
end

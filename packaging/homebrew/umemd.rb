# Not run: see packaging/README.md.
class Umemd < Formula
  desc "Owns heap memory and lends it, by handle, to programs on the same machine"
  homepage "https://example.invalid/umemd"
  url "https://example.invalid/umemd-0.1.0.tar.gz"
  sha256 "0000000000000000000000000000000000000000000000000000000000000000"
  license "MIT"

  depends_on "cmake" => :build
  depends_on "ninja" => :build
  depends_on "cjson"
  depends_on "libuv"

  def install
    system "cmake", "-S", ".", "-B", "build", "-G", "Ninja",
           "-D", "UMEM_BUILD_TESTS=OFF", "-D", "UMEM_FETCH_DEPENDENCIES=OFF", *std_cmake_args
    system "cmake", "--build", "build"
    system "cmake", "--install", "build"
  end

  service do
    run opt_bin/"umemd"
    keep_alive crashed: true
  end

  test do
    assert_equal "umemd 0.1.0", shell_output("#{bin}/umemd --version").strip
    ENV["UMEM_PIPE"] = testpath/"umemd.sock"
    system bin/"umemd", "--daemon"
    system bin/"umem", "alloc", "16", "--name", "greeting"
    system bin/"umem", "shutdown"
  end
end

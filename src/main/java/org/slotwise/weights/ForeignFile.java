package org.slotwise.weights;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What people have in place of weights, by how it begins, and what to do then. */
final class ForeignFile {

    /** How many bytes of a file are looked at. */
    static final int START = 512;

    private static final String NEITHER =
            "neither a safetensors file nor an npz archive nor one of PyTorch's";

    private ForeignFile() {}

    /** Ends the sentence that begins with the file's name. */
    static String describe(byte[] start, long size) {
        if (size == 0) {
            return "the file is empty; download or write it again";
        }
        String text = new String(start, StandardCharsets.ISO_8859_1);
        String lower = text.stripLeading().toLowerCase(Locale.ROOT);
        if (text.startsWith("version https://git-lfs")) {
            return "a Git LFS pointer in place of the file; get it with git lfs pull";
        }
        if (lower.startsWith("<!doctype html") || lower.startsWith("<html")) {
            return "a web page in place of the file; download it again, from the link to the raw"
                    + " file";
        }
        if (lower.startsWith("<?xml") || lower.startsWith("<error")) {
            return "an XML text, a server's error perhaps; download the file again";
        }
        if (lower.startsWith("{") || lower.startsWith("[")) {
            return text.contains("weight_map")
                    ? "the index of a model in several files; read the safetensors files that it"
                            + " lists, one by one"
                    : "a JSON text, a server's error perhaps; download the file again";
        }
        if (text.startsWith("\u0080") && start.length > 2) {
            return "a bare pickle, as PyTorch wrote before 1.6; if you trust it, write it anew in"
                    + " Python: "
                    + TorchRemedy.legacy();
        }
        String other = byMagic(text, start);
        return other == null ? NEITHER : other + ": " + NEITHER;
    }

    private static @Nullable String byMagic(String text, byte[] start) {
        if (text.startsWith("\u001f\u008b")
                || text.startsWith("BZh")
                || text.startsWith("\u00fd7zXZ")
                || text.startsWith("7z\u00bc\u00af")
                || text.startsWith("(\u00b5/\u00fd")) {
            return "a compressed file; unpack it first";
        }
        if (text.startsWith("\u0093NUMPY")) {
            return "a single array of numpy's; write numpy.savez(path, name=array)";
        }
        if (text.startsWith("\u0089HDF")) {
            return "an HDF5 file, perhaps Keras' weights; write their arrays with numpy.savez";
        }
        if (text.startsWith("GGUF")) {
            return "a GGUF file; take the model's safetensors";
        }
        if (text.startsWith("PK")) {
            return "a zip archive without arrays or data.pkl";
        }
        if (text.startsWith("ustar", 257)) {
            return "a tar archive; unpack it first";
        }
        for (byte b : Arrays.copyOf(start, 8)) {
            if (b != 0) {
                return null;
            }
        }
        return "a file that begins with zeros, perhaps of a download that was broken off";
    }
}

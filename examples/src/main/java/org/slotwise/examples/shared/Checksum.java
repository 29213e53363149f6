package org.slotwise.examples.shared;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.slotwise.weights.StateDict;
import org.slotwise.weights.StateDictFormat;

/** What tells weights from others. */
public final class Checksum {

    private Checksum() {}

    /** SHA-256 of all weights with their names. */
    public static String of(StateDict weights) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        StateDict.of(weights.arrays()).write(bytes, StateDictFormat.SAFETENSORS);
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            return HexFormat.of().formatHex(digest.digest(bytes.toByteArray()));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}

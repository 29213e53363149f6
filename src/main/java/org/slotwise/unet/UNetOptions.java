package org.slotwise.unet;

import java.io.IOException;
import java.util.Map;
import org.slotwise.weights.DiffusersFolder;

/**
 * The sizes of a U-Net that is not told slots as options of diffusers' {@code UNet2DModel}: for
 * blocks that have such a network and more, as {@code UNetEncoder}. {@link UNet} reads and writes
 * its own.
 */
public final class UNetOptions {

    private UNetOptions() {}

    /**
     * Reads the sizes.
     *
     * @param folder its options; the name of their class, and what is left over ({@link
     *     DiffusersFolder#refuseOthers}), are the caller's affair
     * @return the sizes
     * @throws IOException if an option has a value that is not supported, which is named
     * @throws IllegalArgumentException if the sizes do not agree
     */
    public static UNetConfiguration read(DiffusersFolder folder) throws IOException {
        return new UNetReader(folder).plain();
    }

    /**
     * The options that {@link #read} reads.
     *
     * @param who who complains
     * @param sizes of a network without a transformer
     * @return options by diffusers' names, without that of their class
     * @throws IllegalArgumentException if the sizes have a transformer, or an option that diffusers
     *     lacks
     */
    public static Map<String, Object> of(String who, UNetConfiguration sizes) {
        return UNetWriter.plain(who, sizes);
    }
}

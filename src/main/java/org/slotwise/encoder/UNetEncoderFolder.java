package org.slotwise.encoder;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.slotwise.unet.UNetConfiguration;
import org.slotwise.unet.UNetOptions;
import org.slotwise.weights.DiffusersFolder;

/**
 * The options of Latent Slot Diffusion's {@code UNetEncoder}, which are those of diffusers' {@code
 * UNet2DModel} and two more: from a folder, and for one.
 */
final class UNetEncoderFolder {

    private static final String KIND = "UNetEncoder";

    /** The side of the map for which the authors' are; of no meaning for what is computed. */
    private static final int SIDE = 64;

    private UNetEncoderFolder() {}

    /** The block, without weights. */
    static UNetEncoder read(DiffusersFolder folder) throws IOException {
        folder.requireKind(KIND);
        folder.require("input_channels", Integer.toString(FeatureMap.CHANNELS));
        UNetConfiguration sizes = UNetOptions.read(folder);
        int patch = patch(folder);
        folder.refuseOthers();
        return new UNetEncoder(sizes, patch);
    }

    /** Kernel and stride of the first convolution. */
    private static int patch(DiffusersFolder folder) throws IOException {
        int images = folder.integer("input_resolution", 256);
        int map = folder.integer("sample_size", 0);
        if (map < 1 || images < map) {
            throw new IOException(
                    folder.path()
                            + ": sample_size must be at least 1 and at most input_resolution,"
                            + " which it divides, got "
                            + map
                            + " and "
                            + images);
        }
        return images / map;
    }

    /** What {@link #read} reads. */
    static Map<String, Object> options(UNetConfiguration sizes, int patch) {
        Map<String, Object> options = new LinkedHashMap<>();
        options.put("_class_name", KIND);
        options.put("input_resolution", SIDE * patch);
        options.put("sample_size", SIDE);
        options.put("input_channels", FeatureMap.CHANNELS);
        options.putAll(UNetOptions.of(KIND, sizes));
        return options;
    }
}

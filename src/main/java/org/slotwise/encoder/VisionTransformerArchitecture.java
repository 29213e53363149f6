package org.slotwise.encoder;

import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;

/**
 * Sizes of a {@link VisionTransformer}, of timm's {@code VisionTransformer}.
 *
 * @param height of the images, a multiple of the patch
 * @param width of the images, a multiple of the patch
 * @param patch height and width of a patch, P
 * @param dim size of a token, D, a multiple of the heads
 * @param depth how many layers
 * @param heads H
 * @param hidden size of the perceptrons' hidden layers, 4 D as published
 * @param registers how many tokens there are beside the class and the patches, 0 in most
 * @param classPlace whether the class token has an embedding of its place; false in timm's models
 *     with registers
 * @param layerScale whether what each layer adds is scaled, channel by channel, as in DINOv2
 */
public record VisionTransformerArchitecture(
        int height,
        int width,
        int patch,
        int dim,
        int depth,
        int heads,
        int hidden,
        int registers,
        boolean classPlace,
        boolean layerScale) {

    private static final int SMALL = 384;
    private static final int BASE = 768;
    private static final int HEAD = 64;

    /**
     * Creates the record.
     *
     * @param height a multiple of the patch
     * @param width a multiple of the patch
     * @param patch at least 1
     * @param dim a multiple of the heads
     * @param depth from 1 to 4,096
     * @param heads at least 1
     * @param hidden at least 1
     * @param registers at least 0
     * @param classPlace whether the class token has a place
     * @param layerScale whether what layers add is scaled
     * @throws IllegalArgumentException if a size is below 1, or no multiple of what it must be
     */
    public VisionTransformerArchitecture {
        String who = "VisionTransformerArchitecture";
        Check.atLeast(who, "patch", patch, 1);
        Check.atLeast(who, "heads", heads, 1);
        multiple(who, "height", height, "patch", patch);
        multiple(who, "width", width, "patch", patch);
        multiple(who, "dim", dim, "heads", heads);
        Limits.count(who, "depth", depth, 1, Limits.WINDOW);
        Check.atLeast(who, "hidden", hidden, 1);
        Check.atLeast(who, "registers", registers, 0);
        Limits.numbers(who, "the images", height, width, dim);
    }

    private static void multiple(String who, String name, int value, String of, int unit) {
        Check.option(
                value > 0 && value % unit == 0,
                who + ": " + name + " must be a multiple of " + of + " " + unit + ", got " + value);
    }

    /**
     * The small one, of 12 layers of 384 numbers and 6 heads: {@code vit_small_patch16_224} and
     * {@code vit_small_patch8_224}, DINO's for instance.
     *
     * @param size height and width of the images, 224 as published
     * @param patch 16 or 8 as published
     * @return the sizes
     */
    public static VisionTransformerArchitecture small(int size, int patch) {
        return of(size, patch, SMALL, false);
    }

    /**
     * The one of 12 layers of 768 numbers and 12 heads: {@code vit_base_patch16_224} and {@code
     * vit_base_patch8_224}.
     *
     * @param size height and width of the images, 224 as published
     * @param patch 16 or 8 as published
     * @return the sizes
     */
    public static VisionTransformerArchitecture base(int size, int patch) {
        return of(size, patch, BASE, false);
    }

    /**
     * DINOv2's small one: patches of 14, scaled layers; {@code vit_small_patch14_dinov2}.
     *
     * @param size height and width of the images, 518 as published
     * @return the sizes
     */
    public static VisionTransformerArchitecture smallDinoV2(int size) {
        return of(size, 14, SMALL, true);
    }

    /**
     * DINOv2's base one: patches of 14, scaled layers; {@code vit_base_patch14_dinov2}.
     *
     * @param size height and width of the images, 518 as published
     * @return the sizes
     */
    public static VisionTransformerArchitecture baseDinoV2(int size) {
        return of(size, 14, BASE, true);
    }

    private static VisionTransformerArchitecture of(
            int size, int patch, int dim, boolean layerScale) {
        return new VisionTransformerArchitecture(
                size, size, patch, dim, 12, dim / HEAD, 4 * dim, 0, true, layerScale);
    }

    /**
     * The same with registers, whose class token has no place: {@code ..._reg4_dinov2}.
     *
     * @param registers how many, 4 as published
     * @return the sizes
     */
    public VisionTransformerArchitecture withRegisters(int registers) {
        return new VisionTransformerArchitecture(
                height, width, patch, dim, depth, heads, hidden, registers, false, layerScale);
    }

    /** How many patches there are, N. */
    int patches() {
        return (height / patch) * (width / patch);
    }
}

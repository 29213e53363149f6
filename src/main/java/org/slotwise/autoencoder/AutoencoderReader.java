package org.slotwise.autoencoder;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import org.slotwise.weights.DiffusersFolder;
import org.slotwise.weights.DiffusionLayouts;

/** Autoencoders from folders of diffusers. */
final class AutoencoderReader {

    static final String DOWN = "DownEncoderBlock2D";
    static final String UP = "UpDecoderBlock2D";

    /** Makes an autoencoder of options. */
    @FunctionalInterface
    interface Maker<T extends AutoencoderBlock> {
        T make(DiffusersFolder folder) throws IOException;
    }

    private AutoencoderReader() {}

    /** Reads options and weights; what a block refuses is a fault of the file. */
    static <T extends AutoencoderBlock> T read(Path path, NDManager manager, Maker<T> maker)
            throws IOException {
        DiffusersFolder folder = DiffusersFolder.open(path);
        T block;
        try {
            block = maker.make(folder);
        } catch (IllegalArgumentException e) {
            throw new IOException(folder.path() + ": " + e.getMessage(), e);
        }
        folder.refuseOthers();
        long side = block.factor();
        Shape images = new Shape(1, block.imageChannels(), side, side);
        folder.loadInto(block, DiffusionLayouts.diffusers(), manager, images);
        return block;
    }

    /** The sizes of one of diffusers' autoencoders. */
    static AutoencoderSizes sizes(DiffusersFolder folder, String kind, int latents)
            throws IOException {
        folder.requireKind(kind);
        folder.passOver("sample_size", "force_upcast");
        folder.require("act_fn", "\"silu\"");
        folder.require("mid_block_add_attention", "true");
        List<Integer> widths = folder.integers("block_out_channels", List.of(64));
        int levels = widths.size();
        same(folder, "down_block_types", DOWN, levels);
        same(folder, "up_block_types", UP, levels);
        int colours = folder.integer("in_channels", 3);
        folder.require("out_channels", Integer.toString(colours));
        return new AutoencoderSizes(
                colours,
                folder.integer("latent_channels", latents),
                widths,
                folder.integer("layers_per_block", 1),
                folder.integer("norm_num_groups", 32),
                folder.number("scaling_factor", 0.18215));
    }

    private static void same(DiffusersFolder folder, String name, String type, int levels)
            throws IOException {
        List<String> expected = Collections.nCopies(levels, type);
        List<String> got = folder.texts(name, List.of(type));
        if (!got.equals(expected)) {
            throw new IOException(
                    folder.path() + ": " + name + " must be " + expected + ", got " + got);
        }
    }
}

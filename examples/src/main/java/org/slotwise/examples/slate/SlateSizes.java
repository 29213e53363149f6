package org.slotwise.examples.slate;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slotwise.examples.shared.Program;
import org.slotwise.slate.SlateConfiguration;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** What is learnt from, and how large the model is. */
final class SlateSizes {

    private static final int MAX_SIZE = 256;
    private static final int MAX_SCENES = 1_000_000;
    private static final int MAX_SLOTS = 100;
    private static final int MAX_VOCABULARY = 4096;
    private static final int MAX_DIM = 1024;
    private static final int MAX_BLOCKS = 64;
    private static final int HEADS = 4;

    @Option(
            names = "--images",
            paramLabel = "FOLDER",
            description =
                    "A folder of pictures of your own, and of the folders in it: PNG, JPEG, WebP,"
                            + " GIF or BMP. The last tenth is held out. Default: generated tetrominoes.")
    private @Nullable Path images;

    @Option(
            names = "--size",
            paramLabel = "PIXELS",
            description =
                    "Height and width of pictures, a multiple of 4 from 8 to "
                            + MAX_SIZE
                            + "; your own are cut to squares and scaled. Default: 32.")
    private @Nullable Integer size;

    @Option(
            names = "--scenes",
            defaultValue = "20000",
            paramLabel = "NUMBER",
            description = "How many scenes are generated. Default: ${DEFAULT-VALUE}.")
    private int scenes;

    @Option(
            names = "--slots",
            defaultValue = "4",
            paramLabel = "NUMBER",
            description = "How many slots, 1 to " + MAX_SLOTS + ". Default: ${DEFAULT-VALUE}.")
    private int slots;

    @Option(
            names = "--slot-dim",
            defaultValue = "64",
            paramLabel = "NUMBER",
            description = "The size of a slot, 1 to " + MAX_DIM + ". Default: ${DEFAULT-VALUE}.")
    private int slotDim;

    @Option(
            names = "--iterations",
            defaultValue = "3",
            paramLabel = "NUMBER",
            description =
                    "How many iterations of slot attention, 1 to 100, before the one that learns."
                            + " Default: ${DEFAULT-VALUE}.")
    private int iterations;

    @Option(
            names = "--all-iterations",
            description =
                    "Lets gradients flow through all iterations, with none after them, as published."
                            + " Default: they flow through one more, after a stop.")
    private boolean allIterations;

    @Option(
            names = "--vocabulary",
            defaultValue = "64",
            paramLabel = "NUMBER",
            description =
                    "How many tokens there are, 2 to "
                            + MAX_VOCABULARY
                            + ". Default: ${DEFAULT-VALUE}.")
    private int vocabulary;

    @Option(
            names = "--dim",
            defaultValue = "64",
            paramLabel = "NUMBER",
            description =
                    "The size of the transformer, a multiple of 4 up to "
                            + MAX_DIM
                            + ". Default: ${DEFAULT-VALUE}.")
    private int dim;

    @Option(
            names = "--blocks",
            defaultValue = "2",
            paramLabel = "NUMBER",
            description =
                    "How many blocks the transformer has, 1 to "
                            + MAX_BLOCKS
                            + ". Default: ${DEFAULT-VALUE}.")
    private int blocks;

    @Option(
            names = "--dropout",
            defaultValue = "0",
            paramLabel = "SHARE",
            description =
                    "How much of the transformer is dropped in training, from 0 to below 1; the"
                            + " authors' 0.1. Default: ${DEFAULT-VALUE}.")
    private double dropout;

    /** Whether pictures of one's own are learnt from. */
    boolean ofFolder() {
        return images != null;
    }

    /** The pictures of a training. */
    TrainingPictures pictures(int seed) throws IOException {
        return TrainingPictures.of(images, side(), scenes, seed);
    }

    private int side() {
        return size == null ? TrainingPictures.SIDE : size;
    }

    SlateConfiguration configuration() {
        return new SlateConfiguration(
                side(),
                3,
                vocabulary,
                dim,
                new SlateConfiguration.Transformer(blocks, HEADS, dropout),
                new SlateConfiguration.Slots(slots, slotDim, iterations, 1, dim, !allIterations));
    }

    void check(CommandSpec spec) {
        Program.requireRange(spec, "--scenes", scenes, 1, MAX_SCENES);
        Program.requireRange(spec, "--slots", slots, 1, MAX_SLOTS);
        Program.requireRange(spec, "--slot-dim", slotDim, 1, MAX_DIM);
        Program.requireRange(spec, "--iterations", iterations, 1, 100);
        Program.requireRange(spec, "--vocabulary", vocabulary, 2, MAX_VOCABULARY);
        Program.requireRange(spec, "--blocks", blocks, 1, MAX_BLOCKS);
        Program.requireRange(spec, "--dim", dim, HEADS, MAX_DIM);
        Program.require(spec, dim % HEADS == 0, "--dim must be a multiple of " + HEADS, dim);
        Program.requireRange(spec, "--size", side(), 8, MAX_SIZE);
        Program.require(
                spec,
                side() % SlateConfiguration.PATCH == 0,
                "--size must be a multiple of " + SlateConfiguration.PATCH,
                side());
        Program.require(
                spec, dropout >= 0 && dropout < 1, "--dropout must be from 0 to below 1", dropout);
        Program.refuseBeside(spec, "--images", "--scenes");
        Program.refuseWithout(spec, "--images", "--size");
    }
}

package org.slotwise.examples.slate;

import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.Scenes;
import org.slotwise.examples.shared.PicturesRead;
import org.slotwise.examples.shared.Program;
import org.slotwise.slate.Slate;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** What using a trained model takes: the model, and pictures. */
final class SlateOptions {

    @Option(
            names = "--model",
            paramLabel = "FILE",
            description = "A model that \"train\" wrote. Default: the one of these examples.")
    private @Nullable Path model;

    @Option(
            names = "--images",
            paramLabel = "FOLDER",
            description =
                    "A folder of pictures of your own, cut to squares and scaled to the model's size."
                            + " Default: generated tetrominoes.")
    private @Nullable Path images;

    @Option(
            names = "--data-seed",
            defaultValue = "4242",
            paramLabel = "NUMBER",
            description =
                    "Which scenes, "
                            + Program.DATA_SEEDS
                            + "; no training sees them. Default: ${DEFAULT-VALUE}.")
    private long dataSeed;

    @Nullable Path model() {
        return model;
    }

    /** What the pictures are, in words. */
    String named() {
        return images == null ? "scenes of seed " + dataSeed : "pictures of " + images;
    }

    /** Whether it is known what objects the pictures have. */
    boolean masked() {
        return images == null;
    }

    void check(CommandSpec spec) {
        Program.requireDataSeed(spec, dataSeed);
        Program.refuseBeside(spec, "--images", "--data-seed");
    }

    /** Refuses a file that would be among the pictures that are read. */
    void refuseAmongPictures(CommandSpec spec, String option, Path written) throws IOException {
        if (images != null) {
            new PicturesRead(images).refuse(spec, option, written);
        }
    }

    Slate load(NDManager manager) throws IOException {
        return SlateModel.load(manager, model);
    }

    /** Says what to make of a result, where the model has not learnt from such pictures. */
    void tellOfOtherPictures(PrintWriter out) {
        if (images != null && model == null) {
            out.println(
                    "The model of these examples has learnt tetrominoes alone, and sees them in all"
                            + " pictures; \"train --images\" makes one of your own, for --model.");
            out.flush();
        }
    }

    /**
     * Pictures at the model's size.
     *
     * @param count how many; of a folder at most as many as there are
     * @param least how many there must be
     */
    Scenes scenes(CommandSpec spec, Slate slate, int count, int least) throws IOException {
        int side = slate.sizes().imageSize();
        if (images == null) {
            Program.require(
                    spec,
                    side == TrainingPictures.SIDE,
                    "--images is needed for a model of other pictures than "
                            + TrainingPictures.SIDE
                            + " x "
                            + TrainingPictures.SIDE,
                    side + " x " + side);
            return TrainingPictures.tetrominoes(dataSeed, count);
        }
        Scenes all = TrainingPictures.folder(images, side);
        if (all.size() < least) {
            throw new IOException(
                    "at least "
                            + least
                            + " pictures are needed, got "
                            + all.size()
                            + " in "
                            + images);
        }
        return all.range(0, Math.min(count, all.size()));
    }
}

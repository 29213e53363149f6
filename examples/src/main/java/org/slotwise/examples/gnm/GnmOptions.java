package org.slotwise.examples.gnm;

import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.Scenes;
import org.slotwise.examples.shared.PicturesRead;
import org.slotwise.examples.shared.Program;
import org.slotwise.gnm.Gnm;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** What explaining pictures takes: a trained model, and pictures. */
final class GnmOptions {

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
                            + " Default: generated scenes.")
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

    Gnm load(NDManager manager) throws IOException {
        return GnmModel.load(manager, model);
    }

    /**
     * Pictures at the model's size.
     *
     * @param count how many; of a folder at most as many as there are
     */
    Scenes scenes(CommandSpec spec, Gnm gnm, int count) throws IOException {
        int side = gnm.sizes().picture().size();
        if (images == null) {
            Program.require(
                    spec,
                    side == CountedScenes.SIDE,
                    "--images is needed for a model of other pictures than "
                            + (CountedScenes.SIDE + " x " + CountedScenes.SIDE),
                    side + " x " + side);
            return new CountedScenes(dataSeed, count);
        }
        Scenes all = LearntScenes.folder(images, side);
        return all.range(0, Math.min(count, all.size()));
    }
}

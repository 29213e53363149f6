package org.slotwise.examples.pictures;

import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.Scenes;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.Program;
import org.slotwise.model.ObjectDiscoveryModel;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Scores a model on pictures of one's own. */
@Command(
        name = "EvaluatePictures",
        header = {"Scores a model on pictures whose masks are known.", ""},
        description = {
            "Tells how well a model finds the objects of pictures, beside ways that learn nothing."
                    + " FG-ARI: how well objects are told apart; ARI: the same with the background;"
                    + " mBO: how much of each object the mask that fits it best covers; mIoU: the"
                    + " same where no mask counts twice. 1 is best, for the first two 0 is chance.",
            ""
        },
        sortOptions = false,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:The table was printed.", "1:Something failed.", "2:An option is wrong."})
public final class EvaluatePictures implements Callable<Integer> {

    private static final int MOST_CLUSTERS = 100;
    private static final int MOST_SCENES = 100_000;

    @Mixin private ModelOption model;

    @Mixin private PictureOptions pictures;

    @Option(
            names = "--clusters",
            paramLabel = "NUMBER",
            description =
                    "Into how many parts the ways that learn nothing divide a picture, 1 to "
                            + MOST_CLUSTERS
                            + ". Default: as many as the model has slots; the grid has as many cells"
                            + " or the next even number.")
    private @Nullable Integer clusters;

    @Option(
            names = "--scenes",
            defaultValue = "1000",
            paramLabel = "NUMBER",
            description = "How many scenes are generated. Default: ${DEFAULT-VALUE}.")
    private int count;

    @Mixin private DataSeedOption dataSeed;

    @Mixin private EngineThreads threads;

    @Mixin private HelpOption help;

    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws IOException, TranslateException {
        pictures.check(spec);
        if (clusters != null) {
            Program.requireRange(spec, "--clusters", clusters, 1, MOST_CLUSTERS);
        }
        Program.requireRange(spec, "--scenes", count, 1, MOST_SCENES);
        dataSeed.check(spec);
        Program.refuseBeside(spec, "--images", "--scenes");
        threads.check(spec);
        threads.set();
        PrintWriter out = spec.commandLine().getOut();
        if (pictures.areGenerated()) {
            try (ObjectDiscoveryModel loaded = model.load()) {
                out.printf("%d scenes of seed %d%n", count, dataSeed.seed());
                print(
                        out,
                        loaded,
                        pictures.generated(spec, count, dataSeed.seed(), loaded.configuration()));
            }
            return ExitCode.OK;
        }
        try (ObjectDiscoveryModel loaded = model.load();
                OwnPictures own = squares(loaded, out)) {
            Scenes masked = own.masked();
            if (masked.size() == 0) {
                throw new IOException(
                        pictures.images()
                                + " has no masks to score by: --masks says where they are");
            }
            String all = masked.size() == own.size() ? "" : " with masks, of " + own.size();
            out.printf("%d pictures%s%n", masked.size(), all);
            print(out, loaded, masked);
        }
        return ExitCode.OK;
    }

    private void print(PrintWriter out, ObjectDiscoveryModel loaded, Scenes scenes)
            throws IOException, TranslateException {
        int parts = clusters == null ? loaded.configuration().slots() : clusters;
        ScoreTable.print(out, loaded, scenes, parts);
    }

    /** The ways that learn nothing take no others. */
    private OwnPictures squares(ObjectDiscoveryModel loaded, PrintWriter out) throws IOException {
        int height = loaded.imageHeight();
        int width = loaded.imageWidth();
        if (height != width) {
            throw new IOException(
                    model.path()
                            + (" sees pictures of " + height + " x " + width + ", and only squares")
                            + " are scored here; in Java its evaluate(scenes) does it");
        }
        return pictures.read(spec, out, loaded.configuration());
    }
}

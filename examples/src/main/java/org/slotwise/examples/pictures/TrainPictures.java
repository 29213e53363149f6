package org.slotwise.examples.pictures;

import ai.djl.training.Trainer;
import ai.djl.training.listener.TrainingListener;
import ai.djl.training.listener.TrainingListenerAdapter;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.PictureFit;
import org.slotwise.data.Scenes;
import org.slotwise.examples.shared.Counted;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.OutputFolder;
import org.slotwise.examples.shared.Program;
import org.slotwise.examples.shared.Resumed;
import org.slotwise.examples.shared.StopRequest;
import org.slotwise.examples.shared.TrainingLog;
import org.slotwise.model.ObjectDiscoveryConfiguration;
import org.slotwise.model.ObjectDiscoveryModel;
import org.slotwise.model.ObjectDiscoveryTraining;
import org.slotwise.model.Preset;
import org.slotwise.model.SegmentationScores;
import org.slotwise.model.TrainingProgress;
import org.slotwise.model.TrainingRecipe;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Trains a model on pictures of one's own. */
@Command(
        name = "TrainPictures",
        header = {"Learns to find the objects of your own pictures.", ""},
        description = {
            "Trains a model on pictures, of which it sees nothing but the pixels. Where there are"
                    + " masks, some pictures are held out, and it is told how well the model finds"
                    + " their objects: FG-ARI, how well they are told apart; ARI, the same with the"
                    + " background; mBO and mIoU, how well the masks fit. 1 is best.",
            ""
        },
        sortOptions = false,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:The model was trained.",
            "1:Something failed: a file, or a training that ran away.",
            "2:An option is wrong."
        })
public final class TrainPictures implements Callable<Integer> {

    private static final int FEW = 50;

    @Mixin private PictureOptions pictures;

    @Option(
            names = "--held-out",
            paramLabel = "NUMBER",
            description =
                    "How many pictures are held out, where there are masks. Default: a tenth, at"
                            + " most 100; of generated scenes 320 others.")
    private @Nullable Integer heldOut;

    @Mixin private RecipeOptions recipes;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "FOLDER",
            description =
                    "Where the model goes: a folder, or a file that ends in .zip. A model that is"
                            + " there is replaced.")
    private Path output;

    @Mixin private TraceOptions traces;

    @Mixin private EngineThreads threads;

    @Mixin private HelpOption help;

    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws IOException, TranslateException {
        pictures.check(spec);
        Program.require(
                spec, heldOut == null || heldOut >= 0, "--held-out must be at least 0", heldOut);
        recipes.check(spec);
        threads.check(spec);
        OutputFolder.requireName(spec, "--out", output);
        ModelTarget target = new ModelTarget(output);
        traces.check(spec, output);
        target.check();
        Preset preset = recipes.preset(spec);
        threads.set();
        HeldOut scenes = pictures.areGenerated() ? generated(preset) : null;
        try (ObjectDiscoveryModel model = create(preset);
                OwnPictures own = scenes == null ? read(preset) : null) {
            HeldOut split = own == null ? Objects.requireNonNull(scenes) : split(own);
            target.makeParent();
            try (TrainingLog log =
                            new TrainingLog(
                                    spec.commandLine().getOut(), traces.log(), traces.resumes());
                    Histories histories = traces.histories()) {
                PrintWriter out = new PrintWriter(log, true);
                if (own != null && own.masked().size() > 0 && own.masked() != own) {
                    out.printf(
                            "%d of %d pictures have masks; the others are learnt from alone%n",
                            own.masked().size(), own.size());
                }
                train(out, model, preset, split, histories);
                model.save(output);
                out.printf("Model: %s%n", output);
                out.flush();
            }
        }
        return ExitCode.OK;
    }

    private ObjectDiscoveryModel create(Preset preset) {
        try {
            return ObjectDiscoveryModel.create(preset.configuration(), recipes.seed());
        } catch (IllegalArgumentException e) {
            throw new ParameterException(
                    spec.commandLine(),
                    "preset " + preset.name() + " cannot be made so: " + e.getMessage(),
                    e);
        }
    }

    private OwnPictures read(Preset preset) throws IOException {
        return pictures.read(spec, spec.commandLine().getOut(), preset.configuration());
    }

    /** Fresh scenes for each step, and others of a seed that no training has. */
    private HeldOut generated(Preset preset) {
        TrainingRecipe recipe = recipes.recipe(preset);
        long seed = GeneratedOption.FIRST_TRAINING_SEED + recipe.seed();
        long count = (long) recipe.steps() * recipe.batchSize();
        int others = heldOut == null ? GeneratedOption.HELD_OUT : heldOut;
        ObjectDiscoveryConfiguration made = preset.configuration();
        return new HeldOut(
                pictures.generated(spec, count, seed, made),
                pictures.generated(spec, others, GeneratedOption.HELD_OUT_SEED, made));
    }

    private HeldOut split(OwnPictures own) throws IOException {
        if (own.size() < 2) {
            throw new IOException(
                    pictures.images()
                            + (own.size() == 0 ? " has no picture" : " has one picture")
                            + ": to learn what is an object takes many, at best hundreds");
        }
        long masked = own.masked().size();
        Program.require(
                spec,
                masked > 0 || heldOut == null || heldOut == 0,
                "--held-out needs masks by which pictures are scored",
                "none in " + pictures.images());
        int count = heldOut == null ? HeldOut.usual(own.size(), masked) : heldOut;
        Program.require(
                spec,
                count < own.size(),
                "--held-out must be below the number of pictures, " + own.size(),
                count);
        Program.require(
                spec,
                count <= masked,
                "--held-out must be at most the number of pictures with masks, " + masked,
                count);
        return HeldOut.of(own, own::isMasked, count);
    }

    private void train(
            PrintWriter out,
            ObjectDiscoveryModel model,
            Preset preset,
            HeldOut split,
            Histories histories)
            throws IOException, TranslateException {
        TrainingRecipe recipe = recipes.recipe(preset);
        Scenes others = split.others();
        out.printf(
                Locale.ROOT,
                "%s: %d pictures of %d x %d%s%s, %s; %d steps of %d, learning rate %s, seed %d%n",
                preset.name(),
                split.learning().size(),
                preset.configuration().imageHeight(),
                preset.configuration().imageWidth(),
                preset.configuration().fit() == PictureFit.CROP ? " cut from their middle" : "",
                others.size() == 0 ? "" : " and " + others.size() + " held out",
                Counted.of(preset.configuration().slots(), "slot"),
                recipe.steps(),
                recipe.batchSize(),
                recipe.learningRate().peak(),
                recipe.seed());
        if (!pictures.areGenerated() && split.learning().size() < FEW) {
            out.printf("These are few pictures: expect little.%n");
        }
        try (StopRequest stop = new StopRequest()) {
            long start = System.nanoTime();
            ObjectDiscoveryTraining.Builder training =
                    ObjectDiscoveryTraining.builder()
                            .setModel(model)
                            .setScenes(split.learning())
                            .setRecipe(recipe)
                            .optStop(stop::isMade)
                            .optListeners(histories, goingOn(out, recipe.steps(), histories))
                            .optReports(
                                    traces.report(),
                                    progress -> {
                                        report(out, progress, (System.nanoTime() - start) / 1e9);
                                        histories.add(progress);
                                    });
            if (others.size() > 0) {
                training.optValidation(others);
            }
            if (traces.checkpoint() != null) {
                training.optCheckpoint(traces.checkpoint(), traces.checkpointEvery())
                        .optResume(traces.resumes());
            }
            try {
                training.build().train();
            } catch (InterruptedIOException e) {
                // The process ends with the request, before anybody could tell of an error.
                boolean kept = traces.checkpoint() != null;
                out.println(e.getMessage() + (kept ? " by --resume" : StopRequest.outlook(null)));
                out.flush();
                throw e;
            }
        }
        if (others.size() > 0) {
            out.printf("%s held out:%n", Counted.of(others.size(), "picture"));
            ScoreTable.print(out, model, others);
        }
    }

    /** Told once it is known that the checkpoint is of this very training. */
    private TrainingListener goingOn(PrintWriter out, long steps, Histories histories) {
        return new TrainingListenerAdapter() {
            @Override
            public void onTrainingBegin(Trainer trainer) {
                if (traces.resumes()) {
                    out.println(Resumed.after(histories.after(), steps));
                }
            }
        };
    }

    private static void report(PrintWriter out, TrainingProgress progress, double seconds) {
        SegmentationScores scores = progress.scores();
        out.printf(
                Locale.ROOT,
                "step %5d  loss %.5f%s  %4.0f s, %.0f s left%n",
                progress.step(),
                progress.loss(),
                scores == null
                        ? ""
                        : String.format(
                                Locale.ROOT,
                                "  FG-ARI %.3f  ARI %.3f  mBO %.3f  mIoU %.3f",
                                scores.foregroundAri(),
                                scores.ari(),
                                scores.meanBestOverlap(),
                                scores.meanIou()),
                seconds,
                progress.secondsLeft());
        out.flush();
    }
}

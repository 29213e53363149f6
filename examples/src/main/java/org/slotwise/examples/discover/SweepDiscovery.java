package org.slotwise.examples.discover;

import ai.djl.ndarray.NDManager;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slotwise.examples.discover.DiscoveryTask.Trial;
import org.slotwise.examples.discover.TrainingHistory.Series;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.ModelFile;
import org.slotwise.examples.shared.ModelFile.Maker;
import org.slotwise.examples.shared.OutputFile;
import org.slotwise.examples.shared.Program;
import org.slotwise.examples.shared.SceneScoring;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command "sweep" of {@link DiscoverObjects}: Figure 2 of the Slot Attention paper. */
@Command(
        name = "sweep",
        description = {
            "Scores a model with more iterations than in training and, where its slots start from"
                    + " colours, with more slots and on scenes of more objects: the question of"
                    + " Figure 2 of the Slot Attention paper. Draws FG-ARI and ARI over iterations.",
            ""
        },
        sortOptions = false)
final class SweepDiscovery implements Callable<Integer> {

    private static final int MAX_ITERATIONS = 100;
    private static final int MAX_SCENES = 100_000;

    @Option(
            names = "--model",
            paramLabel = "FILE",
            description = "A model that \"train\" wrote. Default: the one of these examples.")
    private @Nullable Path model;

    @Option(
            names = "--data",
            converter = DiscoveryTask.Parser.class,
            paramLabel = "NAME",
            description =
                    "The scenes, tetrominoes or multi-dsprites. Default: those that the model was"
                            + " trained on.")
    private @Nullable DiscoveryTask task;

    @Option(
            names = "--iterations",
            split = ",",
            defaultValue = "1,2,3,4,5,7,10",
            paramLabel = "NUMBER",
            description = "How many iterations of attention. Default: ${DEFAULT-VALUE}.")
    private List<Integer> iterations;

    @Option(
            names = "--scenes",
            defaultValue = "320",
            paramLabel = "NUMBER",
            description = "How many scenes, 1 to " + MAX_SCENES + ". Default: ${DEFAULT-VALUE}.")
    private int scenes;

    @Option(
            names = "--data-seed",
            defaultValue = "4242",
            paramLabel = "NUMBER",
            description = "Which scenes, " + Program.DATA_SEEDS + ". Default: ${DEFAULT-VALUE}.")
    private long dataSeed;

    @Option(
            names = "--output",
            defaultValue = "sweep.png",
            paramLabel = "FILE",
            description = "Where the figure goes, a PNG file. Default: ${DEFAULT-VALUE}.")
    private Path output;

    @Mixin private HelpOption help;

    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws IOException, TranslateException {
        Program.require(
                spec,
                scenes >= 1 && scenes <= MAX_SCENES,
                "--scenes must be 1 to " + MAX_SCENES,
                scenes);
        Program.require(
                spec,
                iterations.stream().allMatch(t -> t >= 1 && t <= MAX_ITERATIONS),
                "--iterations must be 1 to " + MAX_ITERATIONS,
                iterations);
        iterations = iterations.stream().distinct().sorted().toList();
        Program.requireDataSeed(spec, dataSeed);
        Program.requirePng(spec, output);
        OutputFile figure = new OutputFile(output);
        figure.check(model);
        PrintWriter out = spec.commandLine().getOut();
        List<TrainingHistory> curves = new ArrayList<>();
        DiscoveryTask learnt;
        try (NDManager manager = NDManager.newBaseManager()) {
            learnt = DiscoveryModel.load(manager, model, task, null).task();
        } catch (IOException e) {
            throw ModelFile.explained(Maker.DISCOVER, model, e);
        }
        out.printf("%d scenes of seed %d; FG-ARI and ARI%n", scenes, dataSeed);
        out.printf("%-38s", "iterations");
        iterations.forEach(t -> out.printf(" %13d", t));
        out.println();
        for (Trial trial : learnt.trials(dataSeed, scenes)) {
            curves.add(scored(out, trial, learnt));
        }
        figure.write(CurvesFigure.draw(curves, List.of("FG-ARI", "ARI"), List.of(), "iterations"));
        out.printf("Figure: %s%n", output.toAbsolutePath().normalize());
        return ExitCode.OK;
    }

    private TrainingHistory scored(PrintWriter out, Trial trial, DiscoveryTask learnt)
            throws IOException, TranslateException {
        List<Double> steps = iterations.stream().map(Integer::doubleValue).toList();
        Map<String, Series> series = new LinkedHashMap<>();
        series.put("FG-ARI", new Series(steps, new ArrayList<>()));
        series.put("ARI", new Series(steps, new ArrayList<>()));
        out.printf("%-38s", trial.name());
        try (NDManager manager = NDManager.newBaseManager()) {
            DiscoveryModel block = DiscoveryModel.load(manager, model, learnt, trial.slots());
            SceneScoring scores = learnt.scoring(trial.scenes());
            for (int t : iterations) {
                SceneScoring.Scores score = scores.of(block.segmenting(t));
                out.printf(Locale.ROOT, "   %.3f %.3f", score.foreground(), score.all());
                out.flush();
                series.get("FG-ARI").values().add(score.foreground());
                series.get("ARI").values().add(score.all());
            }
        }
        out.println();
        return new TrainingHistory(trial.name(), series);
    }
}

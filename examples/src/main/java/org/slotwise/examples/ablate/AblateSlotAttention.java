package org.slotwise.examples.ablate;

import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.OutputFile;
import org.slotwise.examples.shared.Program;
import org.slotwise.examples.shared.SceneScoring;
import org.slotwise.examples.shared.TrainingsLeft;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Trains variants of one small model around Slot Attention, and compares them. */
@Command(
        name = "AblateSlotAttention",
        header = {"Trains variants of Slot Attention side by side, and compares them.", ""},
        description = {
            "Trains variants of one small model around Slot Attention on generated scenes, each in"
                    + " the same number of steps and from the same seeds, and prints how well they"
                    + " tell objects apart: FG-ARI over the pixels of objects, ARI over all pixels,"
                    + " MSE of the pictures that they make, means over seeds with the deviation."
                    + " Three ways that learn nothing stand beside them: the four quarters of the"
                    + " picture, and k-means on colour and place, and on colour.",
            ""
        },
        sortOptions = false,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:All went well.", "1:Something failed.", "2:An option is wrong."})
public final class AblateSlotAttention implements Callable<Integer> {

    private static final int MAX_STEPS = 1_000_000;
    private static final int ALL_STEPS = 600;

    /** What can be seen in a minute or two. */
    private static final int FEW_STEPS = 100;

    private static final List<String> FEW =
            List.of("baseline", "no-gru", "softmax-features", "sum");

    private static final int MAX_SCENES = 100_000;
    private static final int MAX_THREADS = 1024;

    /** From one end of the picture to the other is as far as from dark to light. */
    private static final float PLACES_COUNT = 1;

    @Option(
            names = "--only",
            split = ",",
            paramLabel = "NAME",
            description =
                    "Which variants, separated by commas. Default: four; all of them with --all.")
    private String @Nullable [] only;

    @Option(
            names = "--all",
            description =
                    "The whole table of docs/ablations.md: all, with seeds 0, 1, 2 and 600 steps, where"
                            + " --only, --seeds and --steps do not say otherwise.")
    private boolean all;

    @Option(
            names = "--steps",
            paramLabel = "NUMBER",
            description = "How many steps of 16 scenes. Default: 100; 600 with --all.")
    private @Nullable Integer askedSteps;

    private int steps;

    @Option(
            names = "--seeds",
            split = ",",
            paramLabel = "NUMBER",
            description =
                    "What weights, scenes and draws start from, separated by commas. Default: 0;"
                            + " 0, 1, 2 with --all.")
    private int @Nullable [] askedSeeds;

    private int[] seeds = {};

    @Option(
            names = "--scenes",
            defaultValue = "320",
            paramLabel = "NUMBER",
            description = "How many scenes are held out for the scores. Default: ${DEFAULT-VALUE}.")
    private int scenes;

    @Option(
            names = "--threads",
            paramLabel = "NUMBER",
            description = "How many threads an operation may use. Default: 1.")
    private @Nullable Integer threads;

    @Option(
            names = "--csv",
            paramLabel = "FILE",
            description =
                    "Where each run is written as soon as it is done. Runs that it holds already"
                            + " are not repeated. Default: nowhere.")
    private @Nullable Path csv;

    @Option(names = "--list", description = "Shows the variants, and runs nothing.")
    private boolean list;

    @Mixin private HelpOption help;

    @Spec private CommandSpec spec;

    /**
     * Runs the program and ends the process with its exit code.
     *
     * @param args the options; {@code --help} lists them
     */
    public static void main(String[] args) {
        Program.main(new AblateSlotAttention(), args);
    }

    @Override
    public Integer call() throws IOException, TranslateException {
        List<Ablation> chosen = check();
        PrintWriter out = spec.commandLine().getOut();
        if (list) {
            (only == null ? Ablation.ALL : chosen)
                    .forEach(one -> out.printf("%-18s %s%n", one.name(), one.changes()));
            out.flush();
            return ExitCode.OK;
        }
        if (threads != null) {
            System.setProperty("ai.djl.pytorch.num_threads", threads.toString());
        }
        AblationTable table = new AblationTable(csv);
        List<AblationRun.Key> shown = new ArrayList<>(trivial(table));
        int count = chosen.size() * seeds.length;
        int done = 0;
        TrainingsLeft left = new TrainingsLeft(spec.commandLine().getErr(), count, steps);
        for (int seed : seeds) {
            for (Ablation ablation : chosen) {
                AblationRun.Key key = new AblationRun.Key(ablation.name(), seed, steps, scenes);
                shown.add(key);
                table.read();
                done++;
                if (table.holds(key)) {
                    left.skip();
                    continue;
                }
                AblationRun run = AblationTraining.run(ablation, key, left::step);
                left.endAt(done);
                table.add(run);
                out.printf("[%d of %d] %s%n", done, count, run);
                out.flush();
            }
        }
        out.printf(
                "%d steps, seeds %s, %d scenes held out%n", steps, Arrays.toString(seeds), scenes);
        table.print(out, shown);
        return ExitCode.OK;
    }

    private List<Ablation> check() throws IOException {
        steps = askedSteps != null ? askedSteps : all ? ALL_STEPS : FEW_STEPS;
        seeds = askedSeeds != null ? askedSeeds : all ? new int[] {0, 1, 2} : new int[] {0};
        Program.require(
                spec, steps >= 1 && steps <= MAX_STEPS, "--steps must be 1 to " + MAX_STEPS, steps);
        Program.require(
                spec,
                scenes >= 1 && scenes <= MAX_SCENES,
                "--scenes must be 1 to " + MAX_SCENES,
                scenes);
        if (threads != null) {
            Program.require(
                    spec,
                    threads >= 1 && threads <= MAX_THREADS,
                    "--threads must be 1 to " + MAX_THREADS,
                    threads);
        }
        seeds = Arrays.stream(seeds).distinct().toArray();
        if (csv != null) {
            new OutputFile(csv).check(null);
        }
        if (only == null && all) {
            return Ablation.ALL;
        }
        List<String> names = only == null ? FEW : List.of(only);
        List<String> known = Ablation.ALL.stream().map(Ablation::name).toList();
        for (String name : names) {
            Program.require(
                    spec, known.contains(name), "--only must be names that --list shows", name);
        }
        return Ablation.ALL.stream().filter(one -> names.contains(one.name())).toList();
    }

    /** Three ways that learn nothing, for the same scenes. */
    private List<AblationRun.Key> trivial(AblationTable table)
            throws IOException, TranslateException {
        SceneScoring scores =
                new SceneScoring(
                        AblationTraining.heldOut(scenes), AblationModel.SIDE, AblationModel.SLOTS);
        Map<String, Way> ways = new LinkedHashMap<>();
        ways.put("four-quarters", scores::ofCells);
        ways.put("k-means", () -> scores.ofKMeans(PLACES_COUNT));
        ways.put("k-means-colour", () -> scores.ofKMeans(0));
        List<AblationRun.Key> keys = new ArrayList<>();
        for (Map.Entry<String, Way> way : ways.entrySet()) {
            AblationRun.Key key = new AblationRun.Key(way.getKey(), 0, 0, scenes);
            keys.add(key);
            if (!table.holds(key)) {
                SceneScoring.Scores of = way.getValue().score();
                table.add(new AblationRun(key, of.foreground(), of.all(), Double.NaN, 0));
            }
        }
        return keys;
    }

    /** A way to segment scenes that learns nothing. */
    @FunctionalInterface
    private interface Way {
        SceneScoring.Scores score() throws IOException, TranslateException;
    }
}

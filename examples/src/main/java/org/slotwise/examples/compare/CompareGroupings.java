package org.slotwise.examples.compare;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.translate.TranslateException;
import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slotwise.examples.ablate.Ablation;
import org.slotwise.examples.ablate.AblationModel;
import org.slotwise.examples.ablate.AblationRun;
import org.slotwise.examples.ablate.AblationTable;
import org.slotwise.examples.ablate.AblationTraining;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.Program;
import org.slotwise.examples.shared.TrainingsLeft;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Trains the same small model with one grouping after the other, and compares them. */
@Command(
        name = "CompareGroupings",
        header = {"Trains all groupings side by side, and compares them.", ""},
        description = {
            "Trains the same small model with one grouping after the other on the same generated"
                    + " scenes, in the same number of steps or the same time, and prints how well each tells objects"
                    + " apart (FG-ARI over the pixels of objects, ARI over all pixels, MSE of the"
                    + " pictures made again; means over seeds with the deviation) and what it"
                    + " costs: ms of processor time for a step of 16 scenes with everything in it,"
                    + " the scores too, and all threads added up; and how many numbers are"
                    + " learnt.",
            ""
        },
        sortOptions = false,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:All went well.", "1:Something failed.", "2:An option is wrong."})
public final class CompareGroupings implements Callable<Integer> {

    private static final int MAX_STEPS = 1_000_000;
    private static final int ALL_STEPS = 600;

    /** What can be seen in a minute or two. */
    private static final int FEW_STEPS = 100;

    private static final List<String> FEW =
            List.of("slot-attention", "slot-mixture", "stick-breaking", "slot-mlp");

    private static final int TRIAL_STEPS = 40;
    private static final int TRIALS = 4;
    private static final int MAX_SCENES = 100_000;
    private static final int MAX_SECONDS = 1_000_000;
    private static final int MAX_THREADS = 1024;

    @Option(
            names = "--only",
            split = ",",
            paramLabel = "NAME",
            description =
                    "Which groupings, separated by commas. Default: four; all of them with --all.")
    private String @Nullable [] only;

    @Option(
            names = "--all",
            description =
                    "The whole table of docs/modules/grouping.md: all, with seeds 0, 1, 2 and 600 steps, where"
                            + " --only, --seeds and --steps do not say otherwise.")
    private boolean all;

    @Option(
            names = "--steps",
            paramLabel = "NUMBER",
            description = "How many steps of 16 scenes. Default: 100; 600 with --all.")
    private @Nullable Integer askedSteps;

    private int steps;

    @Option(
            names = "--cpu-seconds",
            paramLabel = "NUMBER",
            description =
                    "In place of --steps: each training takes as many steps as fit into so many"
                            + " seconds of processor time, by what a few steps took before.")
    private @Nullable Double cpuSeconds;

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

    @Option(names = "--list", description = "Shows the groupings, and runs nothing.")
    private boolean list;

    @Mixin private HelpOption help;

    @Spec private CommandSpec spec;

    /**
     * Runs the program and ends the process with its exit code.
     *
     * @param args the options; {@code --help} lists them
     */
    public static void main(String[] args) {
        Program.main(new CompareGroupings(), args);
    }

    @Override
    public Integer call() throws IOException, TranslateException {
        List<Ablation> chosen = check();
        PrintWriter out = spec.commandLine().getOut();
        if (list) {
            (only == null ? ComparedGroupings.ALL : chosen)
                    .forEach(one -> out.printf("%-24s %s%n", one.name(), one.changes()));
            out.flush();
            return ExitCode.OK;
        }
        if (threads != null) {
            System.setProperty("ai.djl.pytorch.num_threads", threads.toString());
        }
        List<Row> rows = new ArrayList<>();
        if (cpuSeconds != null) {
            PrintWriter err = spec.commandLine().getErr();
            err.printf(
                    "how many steps fit into %s s is tried first, %d groupings%n",
                    cpuSeconds, chosen.size());
            err.flush();
        }
        for (Ablation grouping : chosen) {
            int count = cpuSeconds == null ? steps : stepsIn(cpuSeconds, grouping);
            rows.add(new Row(grouping, parameters(grouping), count));
        }
        int done = 0;
        int longest = rows.stream().mapToInt(row -> row.steps).max().orElse(0);
        TrainingsLeft left =
                new TrainingsLeft(spec.commandLine().getErr(), seeds.length * rows.size(), longest);
        for (int seed : seeds) {
            for (Row row : rows) {
                out.println(row.run(seed, scenes, left::step));
                left.endAt(++done);
                out.flush();
            }
        }
        out.printf(
                "%s, seeds %s, %d scenes held out%n",
                cpuSeconds == null ? steps + " steps" : cpuSeconds + " s of processor time",
                Arrays.toString(seeds),
                scenes);
        out.printf(
                "%-24s %-15s %-15s %-17s %7s %7s %10s%n",
                "", "FG-ARI", "ARI", "MSE", "steps", "CPU ms", "parameters");
        rows.forEach(out::println);
        out.flush();
        return ExitCode.OK;
    }

    /** Of all threads: that does not depend on what else the machine does. */
    private static long processorNanoseconds() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime();
    }

    /**
     * How many steps take so long, by the fastest of short trainings after one that warms the
     * engine up.
     */
    private static int stepsIn(double seconds, Ablation grouping)
            throws IOException, TranslateException {
        AblationRun.Key trial = new AblationRun.Key(grouping.name(), 0, TRIAL_STEPS, 1);
        AblationTraining.run(grouping, trial);
        double each = Double.POSITIVE_INFINITY;
        for (int i = 0; i < TRIALS; i++) {
            long start = processorNanoseconds();
            AblationTraining.run(grouping, trial);
            each = Math.min(each, (processorNanoseconds() - start) / 1e9 / TRIAL_STEPS);
        }
        return (int) Math.max(1, Math.min(MAX_STEPS, Math.round(seconds / each)));
    }

    private static long parameters(Ablation grouping) {
        try (NDManager manager = NDManager.newBaseManager()) {
            AblationModel model = grouping.model();
            int side = AblationModel.SIDE;
            model.initialize(manager, DataType.FLOAT32, new Shape(1, 3, side, side));
            return model.getParameters().values().stream()
                    .filter(Parameter::requiresGradient)
                    .mapToLong(parameter -> parameter.getArray().size())
                    .sum();
        }
    }

    private List<Ablation> check() {
        steps = askedSteps != null ? askedSteps : all ? ALL_STEPS : FEW_STEPS;
        seeds = askedSeeds != null ? askedSeeds : all ? new int[] {0, 1, 2} : new int[] {0};
        Program.require(
                spec, steps >= 1 && steps <= MAX_STEPS, "--steps must be 1 to " + MAX_STEPS, steps);
        Program.require(
                spec,
                scenes >= 1 && scenes <= MAX_SCENES,
                "--scenes must be 1 to " + MAX_SCENES,
                scenes);
        if (cpuSeconds != null) {
            Program.require(
                    spec,
                    cpuSeconds > 0 && cpuSeconds <= MAX_SECONDS,
                    "--cpu-seconds must be above 0 and at most " + MAX_SECONDS,
                    cpuSeconds);
        }
        if (threads != null) {
            Program.require(
                    spec,
                    threads >= 1 && threads <= MAX_THREADS,
                    "--threads must be 1 to " + MAX_THREADS,
                    threads);
        }
        seeds = Arrays.stream(seeds).distinct().toArray();
        if (only == null && all) {
            return ComparedGroupings.ALL;
        }
        List<String> names = only == null ? FEW : List.of(only);
        List<String> known = ComparedGroupings.ALL.stream().map(Ablation::name).toList();
        for (String name : names) {
            Program.require(
                    spec, known.contains(name), "--only must be names that --list shows", name);
        }
        return ComparedGroupings.ALL.stream().filter(one -> names.contains(one.name())).toList();
    }

    /** What is known of one grouping. */
    private static final class Row {
        private final Ablation grouping;
        private final long parameters;
        private final int steps;
        private final List<AblationRun> runs = new ArrayList<>();
        private double milliseconds = Double.POSITIVE_INFINITY;

        Row(Ablation grouping, long parameters, int steps) {
            this.grouping = grouping;
            this.parameters = parameters;
            this.steps = steps;
        }

        String name() {
            return grouping.name();
        }

        AblationRun run(int seed, int scenes, Runnable afterStep)
                throws IOException, TranslateException {
            AblationRun.Key key = new AblationRun.Key(name(), seed, steps, scenes);
            long start = processorNanoseconds();
            AblationRun run = AblationTraining.run(grouping, key, afterStep);
            double spent = (processorNanoseconds() - start) / 1e6 / key.steps();
            runs.add(run);
            milliseconds = Math.min(milliseconds, spent);
            return run;
        }

        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT,
                    "%-24s %-15s %-15s %-17s %7d %7.1f %10d",
                    name(),
                    AblationTable.spread(3, runs, AblationRun::foreground),
                    AblationTable.spread(3, runs, AblationRun::all),
                    AblationTable.spread(4, runs, AblationRun::error),
                    steps,
                    milliseconds,
                    parameters);
        }
    }
}

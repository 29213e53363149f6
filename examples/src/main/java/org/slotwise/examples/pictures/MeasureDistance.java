package org.slotwise.examples.pictures;

import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slotwise.distance.FrechetDistance;
import org.slotwise.distance.KernelDistance;
import org.slotwise.distance.KernelSubsets;
import org.slotwise.distance.PictureFeatures;
import org.slotwise.examples.shared.DistanceFeatures;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.Program;
import org.slotwise.examples.shared.SetOfPictures;
import org.slotwise.model.ObjectDiscoveryModel;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Measures how far a set of pictures is from another. */
@Command(
        name = "MeasureDistance",
        header = {"Measures how far generated pictures are from real ones.", ""},
        description = {
            "Prints the Frechet and the kernel distance of two folders of pictures: with --inception"
                    + " the FID and the KID as clean-fid defines them, else distances in the features"
                    + " of a model, which compare only with others in the same features.",
            ""
        },
        sortOptions = false,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:The distances were printed, the statistics written.",
            "1:Something failed.",
            "2:An option is wrong."
        })
public final class MeasureDistance implements Callable<Integer> {

    private static final int MAX_BATCH = 4096;

    @Option(
            names = "--real",
            required = true,
            paramLabel = "PATH",
            description =
                    "A folder of pictures, with all folders in it, or an .npz of statistics: of this"
                            + " command, clean-fid or pytorch-fid.")
    private Path real;

    @Option(
            names = "--other",
            paramLabel = "PATH",
            description =
                    "What is compared with them, likewise; may be left out with --statistics.")
    private @Nullable Path other;

    @Option(names = "--inception", paramLabel = "FILE", description = DistanceFeatures.INCEPTION)
    private @Nullable Path inception;

    @Option(
            names = "--model",
            paramLabel = "MODEL",
            description =
                    "A model whose encoder's features are used without --inception: a folder or .zip"
                            + " that \"train\" or \"package\" wrote, or the name of one that comes"
                            + " with the library: ${COMPLETION-CANDIDATES}. Default: multi-dsprites.",
            completionCandidates = ModelOption.Shipped.class)
    private @Nullable Path model;

    @Option(
            names = "--statistics",
            paramLabel = "FILE",
            description =
                    "An .npz that the statistics of --real are written to, which clean-fid and"
                            + " pytorch-fid read too.")
    private @Nullable Path statistics;

    @Option(
            names = "--subsets",
            defaultValue = "100",
            paramLabel = "NUMBER",
            description =
                    "How many subsets the kernel distance is averaged over, 2 to 10000. Default:"
                            + " ${DEFAULT-VALUE}.")
    private int subsets;

    @Option(
            names = "--subset-size",
            defaultValue = "1000",
            paramLabel = "PICTURES",
            description =
                    "How many pictures a subset has at most, 2 to 10000. Default: ${DEFAULT-VALUE}.")
    private int subsetSize;

    @Option(
            names = "--seed",
            defaultValue = "0",
            paramLabel = "NUMBER",
            description = "What decides which pictures they are. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(
            names = "--batch",
            defaultValue = "32",
            paramLabel = "PICTURES",
            description =
                    "How many pictures the network gets at once, 1 to "
                            + MAX_BATCH
                            + ". Default: ${DEFAULT-VALUE}.")
    private int batch;

    @Mixin private EngineThreads threads;

    @Mixin private HelpOption help;

    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        check();
        threads.set();
        PrintWriter out = spec.commandLine().getOut();
        if (inception != null) {
            try (PictureFeatures features = DistanceFeatures.inception(inception);
                    NDManager manager = NDManager.newBaseManager(null, "PyTorch")) {
                measure(out, features, manager);
            }
            return ExitCode.OK;
        }
        Path chosen = model == null ? Path.of("multi-dsprites") : model;
        try (ObjectDiscoveryModel loaded = ModelOption.load(chosen);
                NDManager manager = loaded.model().getNDManager().newSubManager();
                PictureFeatures features =
                        DistanceFeatures.of(loaded.block(), chosen.toString(), manager)) {
            measure(out, features, manager);
        }
        return ExitCode.OK;
    }

    private void check() throws IOException {
        Program.requireRange(spec, "--subsets", subsets, 2, 10_000);
        Program.requireRange(spec, "--subset-size", subsetSize, 2, 10_000);
        Program.requireRange(spec, "--batch", batch, 1, MAX_BATCH);
        threads.check(spec);
        if (inception != null) {
            Program.refuseBeside(spec, "--inception", "--model");
        }
        Program.require(
                spec,
                other != null || statistics != null,
                "--other is missing: what --real is compared with",
                "none");
        Program.require(
                spec,
                statistics == null || statistics.toString().endsWith(".npz"),
                "--statistics must end in .npz",
                statistics);
        SetOfPictures.check(real);
        if (other != null) {
            SetOfPictures.check(other);
        }
    }

    private void measure(PrintWriter out, PictureFeatures features, NDManager manager)
            throws IOException {
        try (SetOfPictures first = set(real, features, manager, out)) {
            if (statistics != null) {
                first.statistics().write(statistics);
            }
            if (other == null) {
                describe(out, first);
            } else {
                try (SetOfPictures second = set(other, features, manager, out)) {
                    requireOneSize(first, second);
                    describe(out, first);
                    out.printf("other: %s, %s%n", second.size(), other);
                    report(out, features, manager, first, second);
                }
            }
        }
        out.flush();
    }

    private void describe(PrintWriter out, SetOfPictures first) {
        out.printf("real: %s, %s%n", first.size(), real);
        if (statistics != null) {
            out.printf("statistics: %s%n", statistics.toAbsolutePath().normalize());
        }
    }

    private static void requireOneSize(SetOfPictures first, SetOfPictures second)
            throws IOException {
        int size = first.statistics().featureDim();
        int its = second.statistics().featureDim();
        if (size != its) {
            throw new IOException(
                    "features of "
                            + size
                            + " and "
                            + its
                            + " numbers: the statistics are of another network");
        }
    }

    private SetOfPictures set(
            Path path, PictureFeatures features, NDManager manager, PrintWriter out)
            throws IOException {
        return SetOfPictures.of(path, features, batch, seed, manager, out);
    }

    private void report(
            PrintWriter out,
            PictureFeatures features,
            NDManager manager,
            SetOfPictures first,
            SetOfPictures second) {
        int size = first.statistics().featureDim();
        out.printf("features: %s, %d numbers for a picture%n", features.description(), size);
        boolean known = features.isInception();
        if (!known) {
            out.println(DistanceFeatures.NO_FID);
        }
        FrechetDistance frechet = FrechetDistance.of(first.statistics(), second.statistics());
        out.printf(Locale.ROOT, "%s: %.5g%n", known ? "FID" : "Frechet distance", frechet.value());
        warn(out, frechet, size);
        if (first.collection() == null || second.collection() == null) {
            out.println("no kernel distance: it needs pictures, and statistics have none");
            return;
        }
        try (NDManager own = manager.newSubManager()) {
            KernelDistance kernel =
                    KernelDistance.of(
                            first.collection().sample(own),
                            second.collection().sample(own),
                            new KernelSubsets(subsets, subsetSize, seed));
            out.printf(
                    Locale.ROOT,
                    "%s: %.5g%s, %d %s of %d pictures%n",
                    known ? "KID" : "kernel distance",
                    kernel.value(),
                    kernel.subsets() == 1
                            ? ""
                            : String.format(Locale.ROOT, " +- %.2g", kernel.standardError()),
                    kernel.subsets(),
                    kernel.subsets() == 1 ? "subset" : "subsets",
                    kernel.subsetSize());
        }
    }

    /** Says where the Frechet distance says little. */
    private static void warn(PrintWriter out, FrechetDistance found, int size) {
        if (found.first() == 0 || found.second() == 0) {
            return;
        }
        if (found.first() != found.second()) {
            out.println(
                    "It is larger for fewer pictures: do not compare it with one of other numbers"
                            + " of pictures.");
        }
        if (Math.min(found.first(), found.second()) <= size) {
            out.println(DistanceFeatures.FEW);
        }
    }
}

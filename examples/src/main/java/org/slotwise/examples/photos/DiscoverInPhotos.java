package org.slotwise.examples.photos;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.file.FeatureCache;
import org.slotwise.data.file.FeatureOrigin;
import org.slotwise.examples.shared.Figure;
import org.slotwise.examples.shared.FileTrouble;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.OutputFile;
import org.slotwise.examples.shared.OutputFolder;
import org.slotwise.examples.shared.Program;
import org.slotwise.examples.shared.WrittenFiles;
import org.slotwise.image.SlotMasks;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Finds objects in photographs without labels: slots that give a network's features back. */
@Command(
        name = "DiscoverInPhotos",
        header = {"Finds objects in photographs and still lifes, without labels.", ""},
        description = {
            "Trains Slot Attention to give the features of photographs back, and draws which slot"
                    + " each place of a photograph went to. With --backbone the features are those"
                    + " of a network in a file; without, those of a small convolutional one that is"
                    + " built in: colours, edges and places. Features are kept on disk: a photograph"
                    + " is seen once.",
            ""
        },
        sortOptions = false,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:The figures were written.",
            "1:A file could not be read or written.",
            "2:An option is wrong."
        })
public final class DiscoverInPhotos implements Callable<Integer> {

    private static final String DEFAULT = " Default: ${DEFAULT-VALUE}.";
    private static final int MAX_SLOTS = 32;
    private static final int MAX_SIZE = 1024;
    private static final int MAX_PARTS = 10_000;
    private static final int MAX_STEPS = 1_000_000;
    private static final int MAX_VIEWS = 10_000_000;

    @Option(
            names = "--images",
            paramLabel = "FOLDER",
            description =
                    "The photographs: PNG, JPEG, WebP, GIF or BMP. Without it, a drawn still life.")
    private @Nullable Path images;

    @Option(
            names = "--backbone",
            paramLabel = "FILE",
            description = "The network: TorchScript (.pt). Without it, the built-in one.")
    private @Nullable Path backbone;

    @Option(
            names = "--size",
            defaultValue = "224",
            paramLabel = "PIXELS",
            description =
                    "The height and width to which photographs are squeezed, as the network"
                            + " expects; without a network a multiple of "
                            + BuiltInFeatures.PATCH
                            + "."
                            + DEFAULT)
    private int size;

    @Option(
            names = "--parts",
            defaultValue = "63",
            paramLabel = "NUMBER",
            description =
                    "How many parts of each photograph are seen beside the whole, 0 to "
                            + MAX_PARTS
                            + ": with few photographs many. Of the still life, how many others are seen."
                            + DEFAULT)
    private int parts;

    @Option(
            names = "--slots",
            defaultValue = "6",
            paramLabel = "K",
            description = "How many slots, 1 to " + MAX_SLOTS + "." + DEFAULT)
    private int slots;

    @Option(
            names = "--steps",
            defaultValue = "800",
            paramLabel = "NUMBER",
            description = "How many steps of training, 1 to " + MAX_STEPS + "." + DEFAULT)
    private int steps;

    @Option(
            names = "--figures",
            defaultValue = "8",
            paramLabel = "NUMBER",
            description = "Of how many photographs figures are drawn, at least 1." + DEFAULT)
    private int figures;

    @Option(
            names = "--seed",
            defaultValue = "0",
            paramLabel = "NUMBER",
            description = "What random choices start from." + DEFAULT)
    private int seed;

    @Option(
            names = "--cache",
            defaultValue = "feature-cache",
            paramLabel = "FOLDER",
            description = "Where features are kept." + DEFAULT)
    private Path cache;

    @Option(
            names = "--output",
            defaultValue = "photo-slots",
            paramLabel = "FOLDER",
            description = "Where figures go, PNG files; made if it is missing." + DEFAULT)
    private Path output;

    @Mixin private HelpOption help;

    @Spec private CommandSpec spec;

    /**
     * Runs the program and ends the process with its exit code.
     *
     * @param args the options; {@code --help} lists them
     */
    public static void main(String[] args) {
        Program.main(new DiscoverInPhotos(), args);
    }

    @Override
    public Integer call() throws IOException {
        checkOptions();
        List<Path> photos = photos();
        PhotoViews views = new PhotoViews(photos, parts, size);
        PrintWriter out = spec.commandLine().getOut();
        try (PhotoFeatures features = features();
                NDManager manager = NDManager.newBaseManager()) {
            int patches = features.grid() * features.grid();
            Program.require(
                    spec,
                    slots <= patches,
                    "--slots must be at most the number of patches, " + patches,
                    slots);
            long start = System.nanoTime();
            FeatureOrigin origin = origin(features, photos);
            FeatureCache cached =
                    FeatureCache.open(
                            cache,
                            origin,
                            manager,
                            (m, from, to) -> features.extract(views.pixels(m, from, to)));
            out.printf(
                    Locale.ROOT,
                    "%d views of %d photographs, %d features of size %d each, %.1f s: %s%n",
                    cached.size(),
                    views.photos(),
                    cached.patches(),
                    cached.featureDim(),
                    (System.nanoTime() - start) / 1e9,
                    FeatureCache.file(cache, origin));
            PhotoRecipe recipe = backbone == null ? PhotoRecipe.BUILT_IN : PhotoRecipe.NETWORK;
            PhotoTraining training = new PhotoTraining(recipe, cached, slots, seed, manager);
            start = System.nanoTime();
            training.run(steps, seed, manager, out);
            out.printf(Locale.ROOT, "%.1f s%n", (System.nanoTime() - start) / 1e9);
            if (photos.isEmpty()) {
                out.println(
                        StillLifeScores.compare(
                                features, size, parts + 1, training::masks, training::clusters));
            }
            new OutputFolder(output).make();
            for (int photo = 0; photo < Math.min(figures, views.photos()); photo++) {
                out.println(draw(training, cached, features.grid(), views, photo));
            }
        }
        return ExitCode.OK;
    }

    private void checkOptions() throws IOException {
        Program.require(
                spec, slots >= 1 && slots <= MAX_SLOTS, "--slots must be 1 to " + MAX_SLOTS, slots);
        Program.requireRange(spec, "--parts", parts, 0, MAX_PARTS);
        Program.requireRange(spec, "--steps", steps, 1, MAX_STEPS);
        Program.require(spec, figures >= 1, "--figures must be at least 1", figures);
        Program.refuseWithout(spec, "--images", "--figures");
        Program.require(
                spec, size >= 1 && size <= MAX_SIZE, "--size must be 1 to " + MAX_SIZE, size);
        Program.require(
                spec,
                backbone != null || size % BuiltInFeatures.PATCH == 0,
                "--size must be a multiple of " + BuiltInFeatures.PATCH + " without --backbone",
                size);
        OutputFolder.requireName(spec, "--output", output);
        new WrittenFiles().andFolder("--cache", cache).andFolder("--output", output).check(spec);
        if (images != null && Files.exists(images) && Files.exists(output)) {
            // Folders in it are not looked into.
            Program.require(
                    spec,
                    !Files.isSameFile(images, output),
                    "--output must be another folder than the photographs'",
                    output);
        }
    }

    /** The photographs in order of their names; none for the still life. */
    private List<Path> photos() throws IOException {
        if (images == null) {
            return List.of();
        }
        if (!Files.isDirectory(images)) {
            throw new IOException(images + " is not a folder");
        }
        try (Stream<Path> files = Files.list(images)) {
            List<Path> photos =
                    files.filter(file -> isPicture(file.getFileName().toString()))
                            .sorted()
                            .toList();
            if (photos.isEmpty()) {
                throw new IOException(
                        images + " has no pictures in it (PNG, JPEG, WebP, GIF or BMP)");
            }
            Program.require(
                    spec,
                    photos.size() * (parts + 1L) <= MAX_VIEWS,
                    "--parts must be less for " + photos.size() + " photographs",
                    parts);
            return photos;
        } catch (FileSystemException e) {
            throw FileTrouble.reading(images, e);
        }
    }

    /** Not what programs leave behind: "._a.jpg" of another system. */
    private static boolean isPicture(String name) {
        return !name.startsWith(".")
                && name.toLowerCase(Locale.ROOT).matches(".*\\.(png|jpe?g|webp|gif|bmp)");
    }

    private PhotoFeatures features() throws IOException {
        return backbone == null ? new BuiltInFeatures(size) : NetworkFeatures.load(backbone, size);
    }

    private FeatureOrigin origin(PhotoFeatures features, List<Path> photos) throws IOException {
        List<String> known =
                photos.isEmpty()
                        ? List.of("still lifes")
                        : FeatureOrigin.ofFiles("", photos).images();
        List<String> views = new ArrayList<>();
        for (String photo : known) {
            for (int part = 0; part <= parts; part++) {
                views.add(photo + ", part " + part);
            }
        }
        return new FeatureOrigin(features.description(), views);
    }

    private Path draw(
            PhotoTraining training, FeatureCache cached, int grid, PhotoViews views, int photo)
            throws IOException {
        Path file = output.resolve(views.name(photo) + "-slots.png");
        OutputFile figure = new OutputFile(file);
        figure.check(null);
        try (NDManager manager = NDManager.newBaseManager()) {
            NDArray masks = training.masks(cached.read(manager, views.whole(photo)));
            long slots = masks.getShape().get(1);
            SlotMasks found = SlotMasks.of(masks.reshape(slots, grid, grid)).hard().largestFirst();
            figure.write(Figure.draw(views.picture(photo, 2 * Figure.PANEL), found));
        }
        return file;
    }
}

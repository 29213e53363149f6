package org.slotwise.examples.pictures;

import ai.djl.inference.Predictor;
import ai.djl.modality.cv.Image;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slotwise.examples.pictures.PredictionFiles.Format;
import org.slotwise.examples.shared.Counted;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.OutputFolder;
import org.slotwise.examples.shared.Picture;
import org.slotwise.examples.shared.PicturesRead;
import org.slotwise.examples.shared.Program;
import org.slotwise.image.DiscoveredObjects;
import org.slotwise.image.ObjectList;
import org.slotwise.model.ObjectDiscoveryTranslatorFactory;
import org.slotwise.model.PictureModel;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Finds the objects of pictures of one's own. */
@Command(
        name = "PredictPictures",
        header = {"Finds the objects of pictures, and writes them to files.", ""},
        description = {
            "Finds the objects of a picture or of all pictures of a folder, each at its own size."
                    + " A picture is squeezed to a square or cut to one as in training; places are always"
                    + " the picture's own.",
            ""
        },
        sortOptions = false,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:All was written.",
            "1:Something failed; other pictures may have been done.",
            "2:An option is wrong."
        })
public final class PredictPictures implements Callable<Integer> {

    private static final int MAX_SIDE = 8192;
    private static final long TELL_EVERY = Duration.ofSeconds(10).toNanos();

    @Mixin private ModelOption model;

    @Option(
            names = "--images",
            required = true,
            paramLabel = "PATH",
            description =
                    "A picture (PNG, JPEG, WebP, GIF, BMP), a folder of pictures, or whatever \"train\""
                            + " takes, which comes in squares of the model's size.")
    private Path images;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "FOLDER",
            description =
                    "Where the files go; files of the same names are replaced. Of a.jpg and a.png in"
                            + " one folder the second one keeps its ending: a.png.json.")
    private Path output;

    @Option(
            names = "--format",
            split = ",",
            defaultValue = "png,json",
            paramLabel = "NAME",
            description = {
                "What is written, one or more:",
                "png: a.png, the masks over the picture; one below 256 pixels is drawn some times"
                        + " as large",
                "mask: a_mask.png, for each pixel the number of its object, 0 for the background",
                "json: a.json, the objects: box, area, centre, score, mask as COCO's run lengths,"
                        + " vector of the slot",
                "coco: coco.json, the objects of all pictures as COCO's annotations, and their"
                        + " backgrounds in a category of their own.",
                "Default: ${DEFAULT-VALUE}."
            })
    private Set<Format> formats;

    @Option(
            names = "--least-score",
            defaultValue = "" + DiscoveredObjects.LEAST_SCORE,
            paramLabel = "NUMBER",
            description =
                    "Objects of a lower score, 0 to 1, are left out: how much of its own pixels an"
                            + " object has to itself, which is little where slots share the ground."
                            + " Default: ${DEFAULT-VALUE}.")
    private double leastScore;

    @Option(
            names = "--background",
            paramLabel = "SLOT",
            description =
                    "Which slot is the background and no object: largest, that of most pixels; none;"
                            + " or a slot's number, from 0, the same in all pictures. Default:"
                            + " largest, and 0 of a model that counts objects.")
    private @Nullable String background;

    @Option(
            names = "--max-side",
            defaultValue = "2048",
            paramLabel = "PIXELS",
            description =
                    "How long the longest side may be of what is looked at and drawn, 16 to "
                            + MAX_SIDE
                            + ": of a larger picture a smaller copy is; its boxes and masks are of"
                            + " the picture's own size. Default: ${DEFAULT-VALUE}.")
    private int maxSide;

    @Mixin private EngineThreads threads;

    @Mixin private HelpOption help;

    @Spec private CommandSpec spec;

    private long done;
    private long objects;
    private final List<String> troubles = new ArrayList<>();

    @Override
    public Integer call() throws IOException {
        Program.requireRange(spec, "--max-side", maxSide, 16, MAX_SIDE);
        Program.require(
                spec,
                leastScore >= 0 && leastScore <= 1,
                "--least-score must be 0 to 1",
                leastScore);
        threads.check(spec);
        if (!Files.exists(images)) {
            throw new IOException(images + " does not exist");
        }
        if (!Files.isReadable(images)) {
            throw new IOException(images + " cannot be read: permission denied");
        }
        requireOtherFolder();
        OutputFolder.requireName(spec, "--out", output);
        new OutputFolder(output).check();
        threads.set();
        PrintWriter out = spec.commandLine().getOut();
        try (PictureModel loaded = model.loadAny();
                Predictor<Image, DiscoveredObjects> predictor = predictor(loaded)) {
            PictureFinder finder = new PictureFinder(images, loaded, maxSide);
            long count = finder.count().orElse(-1L);
            PredictionFiles files = new PredictionFiles(output, formats, leastScore);
            SmallPictures small = new SmallPictures(loaded.imageHeight(), loaded.imageWidth());
            long[] next = {System.nanoTime() + TELL_EVERY};
            long begun = System.nanoTime();
            finder.each(
                    picture -> {
                        one(predictor, files, small, picture);
                        long now = System.nanoTime();
                        if (now >= next[0]) {
                            next[0] = now + TELL_EVERY;
                            tell(out, count, (now - begun) / 1e9);
                        }
                    });
            if (done > 0) {
                files.finish();
                out.printf(
                        "%s, %s: %s%n",
                        Counted.of(done, "picture"),
                        Counted.of(objects, "object"),
                        output.toAbsolutePath().normalize());
                if (objects == 0) {
                    out.printf(
                            "No slot scored %s or more, besides the background: \"show\" draws what"
                                    + " the model sees%s.%n",
                            leastScore, leastScore > 0 ? ", --least-score 0 keeps all" : "");
                }
                small.tell(out);
                tellOthers(out, files.others());
                out.flush();
            }
        }
        if (!troubles.isEmpty()) {
            throw new IOException(
                    troubles.size() == 1
                            ? troubles.get(0)
                            : troubles.size()
                                    + " pictures could not be read, the first one: "
                                    + troubles.get(0));
        }
        return ExitCode.OK;
    }

    /** As a server has it, by what it calls "background" too. */
    private Predictor<Image, DiscoveredObjects> predictor(PictureModel loaded) {
        if (background == null) {
            return loaded.newPredictor();
        }
        try {
            return loaded.model()
                    .newPredictor(
                            new ObjectDiscoveryTranslatorFactory()
                                    .newInstance(
                                            Image.class,
                                            DiscoveredObjects.class,
                                            loaded.model(),
                                            Map.of("background", background)));
        } catch (TranslateException e) {
            String says = String.valueOf(e.getMessage());
            throw new ParameterException(
                    spec.commandLine(), "--" + says.substring(says.indexOf(": ") + 2), e);
        }
    }

    /** A picture that cannot be read does not keep others from being done. */
    private void one(
            Predictor<Image, DiscoveredObjects> predictor,
            PredictionFiles files,
            SmallPictures small,
            PictureFinder.Found picture)
            throws IOException {
        Picture seen;
        try {
            seen = picture.read().read();
        } catch (IOException e) {
            troubles.add(String.valueOf(e.getMessage()));
            return;
        }
        try {
            ObjectList found = files.add(picture, seen, predictor.predict(seen.image()));
            objects += found.count();
            small.see(picture.file(), seen.height(), seen.width());
            done++;
        } catch (TranslateException e) {
            throw new IOException(picture.file() + ": " + e.getMessage(), e);
        }
    }

    /** Pictures that are written have the names of those that are read, and would replace them. */
    private void requireOtherFolder() throws IOException {
        new PicturesRead(images).refuse(spec, "--out", output);
        boolean beside =
                Files.exists(output)
                        && Files.isRegularFile(images)
                        && output.toRealPath().equals(images.toRealPath().getParent());
        Program.require(spec, !beside, "--out must be another folder than the picture's", output);
    }

    /** What an earlier run left there is not of these pictures. */
    private static void tellOthers(PrintWriter out, List<Path> others) {
        if (!others.isEmpty()) {
            out.printf(
                    "Not of this run: %s in that folder, such as %s.%n",
                    Counted.of(others.size(), "file"), others.get(0));
        }
    }

    private void tell(PrintWriter out, long count, double seconds) {
        if (count < 0) {
            out.printf("%s%n", Counted.of(done, "picture"));
        } else {
            out.printf(
                    "%d of %d pictures, about %d s left%n",
                    done, count, Math.round(seconds * (count - done) / Math.max(1, done)));
        }
        out.flush();
    }
}

# The image of docs/image.md, for those who build with Docker: docker build -t localhost/danm:0.1.0 .
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
RUN apt-get update && apt-get install -y --no-install-recommends binutils clang cmake git libc6-dev libssl-dev make zlib1g-dev
WORKDIR /danm
COPY . .
RUN dotnet tool restore && dotnet cake build.cake --target=Image --runtime=linux-$(uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/')
# The archive's only layer is the root.
RUN mkdir /root-of-image && tar -xOf artifacts/danm-image-*.tar $(tar -xOf artifacts/danm-image-*.tar manifest.json | grep -o '"Layers":\["[^"]*' | cut -d '"' -f 4) | tar -xzC /root-of-image

FROM scratch
COPY --from=build /root-of-image/ /
ENV PATH=/usr/local/bin
USER 65532:65532
WORKDIR /
ENTRYPOINT ["/usr/local/bin/danm"]
